//! Triangle meshes, made by lofting: skin pulled over a row of rings.

use glam::Vec3;

use crate::material::Material;

/// A corner of a triangle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vertex {
    /// World position in metres.
    pub(crate) position: Vec3,
    /// Unit normal, outward.
    pub(crate) normal: Vec3,
    /// Position in the frame of the body part: what a material paints by, so that patterns move with the part.
    pub(crate) local: Vec3,
}

/// Three vertices and the index of their material.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Triangle {
    pub(crate) corners: [u32; 3],
    pub(crate) material: u32,
}

/// One object's surface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) triangles: Vec<Triangle>,
    pub(crate) materials: Vec<Material>,
}

/// A cross-section: an ellipse (or, with `power` above 2, a rounded rectangle) around `centre`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    pub(crate) centre: Vec3,
    /// Half axis to the side; its length is the half width.
    pub(crate) side: Vec3,
    /// Half axis to the front; its length is the half depth.
    pub(crate) front: Vec3,
    /// Exponent of the superellipse: 2 is an ellipse.
    pub(crate) power: f32,
    /// Coordinate along the part, for its material.
    pub(crate) along: f32,
}

impl Mesh {
    /// Adds `material` and returns its index for the triangles to come.
    pub(crate) fn material(&mut self, material: Material) -> u32 {
        self.materials.push(material);
        self.materials.len() as u32 - 1
    }

    /// Skin over `rings` with `segments` quads around each, closed at both ends.
    pub(crate) fn loft(&mut self, rings: &[Ring], segments: usize, material: u32) {
        self.surface(rings.len(), segments, material, |row, column| {
            let ring = rings[row];
            let (sin, cos) = (column as f32 / segments as f32 * std::f32::consts::TAU).sin_cos();
            let round = |v: f32| v.signum() * v.abs().powf(2.0 / ring.power);
            let (a, b) = (round(cos), round(sin));
            let local = Vec3::new(a * ring.side.length(), b * ring.front.length(), ring.along);
            (ring.centre + a * ring.side + b * ring.front, local)
        });
    }

    /// A closed surface of `rows` rings of `columns` points each. `point` gives world and local position. Winding does
    /// not matter: normals are turned outward from the middle of each ring.
    pub(crate) fn surface(
        &mut self,
        rows: usize,
        columns: usize,
        material: u32,
        point: impl Fn(usize, usize) -> (Vec3, Vec3),
    ) {
        let first = self.vertices.len();
        let grid: Vec<(Vec3, Vec3)> =
            (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))).map(|(r, c)| point(r, c)).collect();
        let at = |r: usize, c: usize| grid[r * columns + c % columns].0;
        for row in 0..rows {
            let middle = (0..columns).map(|c| at(row, c)).sum::<Vec3>() / columns as f32;
            for column in 0..columns {
                let here = at(row, column);
                let around = at(row, column + 1) - at(row, column + columns - 1);
                let along = at((row + 1).min(rows - 1), column) - at(row.saturating_sub(1), column);
                let normal = around.cross(along).normalize_or(Vec3::Z);
                let outward = if normal.dot(here - middle) < 0.0 { -normal } else { normal };
                let local = grid[row * columns + column].1;
                self.vertices.push(Vertex { position: here, normal: outward, local });
            }
        }
        let index = |r: usize, c: usize| (first + r * columns + c % columns) as u32;
        for row in 0..rows - 1 {
            for column in 0..columns {
                let (a, b) = (index(row, column), index(row, column + 1));
                let (c, d) = (index(row + 1, column + 1), index(row + 1, column));
                self.triangles.push(Triangle { corners: [a, b, c], material });
                self.triangles.push(Triangle { corners: [a, c, d], material });
            }
        }
        for (row, inner) in [(0, 1), (rows - 1, rows - 2)] {
            self.cap(row, inner, columns, first, material);
        }
    }

    /// Closes the end ring `row` with a fan; `inner` is its neighbour, which tells where outside is.
    fn cap(&mut self, row: usize, inner: usize, columns: usize, first: usize, material: u32) {
        let middle = |mesh: &Self, r: usize| {
            let ring = &mesh.vertices[first + r * columns..first + (r + 1) * columns];
            ring.iter().fold((Vec3::ZERO, Vec3::ZERO), |sum, v| (sum.0 + v.position, sum.1 + v.local))
        };
        let (position, local) = middle(self, row);
        let (position, local) = (position / columns as f32, local / columns as f32);
        let outward = (position - middle(self, inner).0 / columns as f32).normalize_or(Vec3::Z);
        let hub = self.vertices.len() as u32;
        self.vertices.push(Vertex { position, normal: outward, local });
        // The rim is doubled so that the flat end keeps its own normal.
        for column in 0..columns {
            let rim = self.vertices[first + row * columns + column];
            self.vertices.push(Vertex { normal: outward, ..rim });
        }
        for column in 0..columns {
            let rim = |c: usize| hub + 1 + (c % columns) as u32;
            self.triangles.push(Triangle { corners: [hub, rim(column), rim(column + 1)], material });
        }
    }

    /// Moves the whole mesh by `place`, a rigid motion that also turns the normals by `turn`.
    pub(crate) fn transform(&mut self, place: impl Fn(Vec3) -> Vec3, turn: impl Fn(Vec3) -> Vec3) {
        for vertex in &mut self.vertices {
            vertex.position = place(vertex.position);
            vertex.normal = turn(vertex.normal);
        }
    }
}

/// Rings of a round-ended tube along `points` (position, radius), for limbs. `side` sets the roll of the rings.
pub(crate) fn tube(points: &[(Vec3, f32)], side: Vec3) -> Vec<Ring> {
    let tangent = |i: usize| {
        let (before, after) = (points[i.saturating_sub(1)].0, points[(i + 1).min(points.len() - 1)].0);
        (after - before).normalize_or(Vec3::Z)
    };
    let ring = |centre: Vec3, radius: f32, along: Vec3, at: f32| {
        let side = (side - along * side.dot(along)).normalize_or(Vec3::X);
        Ring { centre, side: side * radius, front: side.cross(along) * radius, power: 2.0, along: at }
    };
    let mut rings = Vec::with_capacity(points.len() + 4);
    let mut length = 0.0;
    // Two rings on a quarter circle round each end off.
    const DOME: [(f32, f32); 2] = [(0.95, 0.3), (0.55, 0.83)];
    for (offset, share) in DOME {
        let (centre, radius) = points[0];
        rings.push(ring(centre - tangent(0) * radius * offset, radius * share, tangent(0), -radius * offset));
    }
    for (i, &(centre, radius)) in points.iter().enumerate() {
        if i > 0 {
            length += centre.distance(points[i - 1].0);
        }
        rings.push(ring(centre, radius, tangent(i), length));
    }
    let last = points.len() - 1;
    for (offset, share) in DOME.into_iter().rev() {
        let (centre, radius) = points[last];
        let along = tangent(last);
        rings.push(ring(centre + along * radius * offset, radius * share, along, length + radius * offset));
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tube_is_closed_and_its_normals_point_outward() {
        let mut mesh = Mesh::default();
        let material = mesh.material(Material::Rubber);
        let points = [(Vec3::ZERO, 0.1), (Vec3::Z * 0.5, 0.1), (Vec3::new(0.0, 0.1, 1.0), 0.08)];
        mesh.loft(&tube(&points, Vec3::X), 10, material);
        for vertex in &mesh.vertices {
            assert!((vertex.normal.length() - 1.0).abs() < 1e-3);
        }
        // By the divergence theorem the volume from outward normals is that of the tube: about pi r^2 l.
        let volume: f32 = mesh
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.corners.map(|i| mesh.vertices[i as usize]);
                let area = (b.position - a.position).cross(c.position - a.position);
                let outward = if area.dot(a.normal + b.normal + c.normal) < 0.0 { -area } else { area };
                outward.dot(a.position + b.position + c.position) / 18.0
            })
            .sum();
        assert!((0.025..0.034).contains(&volume), "volume {volume}");
    }
}
