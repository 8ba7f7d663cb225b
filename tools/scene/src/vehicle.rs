//! A passenger car: body, cabin, wheels.

use glam::Vec3;

use crate::material::Material;
use crate::mesh::Mesh;

/// A car's looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Car {
    pub(crate) paint: Vec3,
    /// Metres from bumper to bumper, 3.8 to 4.8.
    pub(crate) length: f32,
    /// Metres from the ground to the roof, 1.4 to 1.75.
    pub(crate) height: f32,
    /// Where the roof ends, as a share of the half length behind the middle: 0.55 a saloon, 0.9 an estate.
    pub(crate) tail: f32,
}

/// Half the width of the body.
pub(crate) const HALF_WIDTH: f32 = 0.88;
const WHEEL: f32 = 0.32;
const SILL: f32 = 0.90;

impl Car {
    /// The mesh in the car's frame: x right, y ahead, z up, wheels on 0. `rolled` is the distance driven in metres.
    pub(crate) fn mesh(&self, rolled: f32) -> Mesh {
        let mut mesh = Mesh::default();
        let half = self.length / 2.0;
        let axle = half - 0.82;
        let body = mesh.material(Material::CarBody { paint: self.paint, half_length: half, axle });
        let cabin = mesh.material(Material::CarCabin { paint: self.paint, sill: SILL, roof: self.height });
        let wheel = mesh.material(Material::Wheel { radius: WHEEL });
        self.body(&mut mesh, half, body);
        self.cabin(&mut mesh, half, cabin);
        for (x, y) in [(-1.0, axle), (1.0, axle), (-1.0, -axle), (1.0, -axle)] {
            Self::wheel(&mut mesh, Vec3::new(x * (HALF_WIDTH - 0.09), y, WHEEL), x, rolled, wheel);
        }
        mesh
    }

    /// The lower body: a rounded box whose upper edge rises from the bonnet to the waist line.
    fn body(&self, mesh: &mut Mesh, half: f32, material: u32) {
        // Share of the half length (rear is negative), half width, lower and upper edge.
        let stations = [
            (-1.0, 0.66, 0.38, 0.62),
            (-0.985, 0.78, 0.30, 0.86),
            (-0.93, 0.84, 0.24, 0.95),
            (-0.6, 0.87, 0.20, 0.98),
            (-0.2, HALF_WIDTH, 0.19, 0.97),
            (0.25, HALF_WIDTH, 0.19, 0.96),
            (0.45, 0.87, 0.20, 0.93),
            (0.75, 0.85, 0.21, 0.85),
            (0.92, 0.81, 0.23, 0.76),
            (0.98, 0.74, 0.27, 0.66),
            (1.0, 0.62, 0.34, 0.56),
        ];
        mesh.surface(stations.len(), 28, material, |row, column| {
            let (share, width, bottom, top) = stations[row];
            let (sin, cos) = (column as f32 / 28.0 * std::f32::consts::TAU).sin_cos();
            let round = |v: f32| v.signum() * v.abs().powf(2.0 / 5.0);
            // The flanks lean in above the shoulder line.
            let lean = if sin > 0.0 { 1.0 - 0.06 * sin } else { 1.0 };
            let p = Vec3::new(
                round(cos) * width * lean,
                share * half,
                (bottom + top) / 2.0 + round(sin) * (top - bottom) / 2.0,
            );
            (p, p)
        });
    }

    /// Windows and roof: a tapered shell between the raked screens.
    fn cabin(&self, mesh: &mut Mesh, half: f32, material: u32) {
        let (front, rear) = (0.42 * half, -(self.tail + 0.22).min(0.96) * half);
        let (roof_front, roof_rear) = (0.42 * half - 0.75, -self.tail * half);
        // From the sill up: height share, front end, rear end, half width.
        let rows = 8;
        mesh.surface(rows, 32, material, |row, column| {
            let share = row as f32 / (rows - 1) as f32;
            // The last rows curve over into the roof.
            let height = [0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0, 1.0][row];
            let inset = [0.0, 0.0, 0.0, 0.0, 0.02, 0.08, 0.22, 0.5][row];
            let lerp = |a: f32, b: f32| a + (b - a) * height;
            let (ahead, behind) = (lerp(front, roof_front) - inset, lerp(rear, roof_rear) + inset);
            let width = lerp(0.80, 0.60) - inset * 0.8;
            let (sin, cos) = (column as f32 / 32.0 * std::f32::consts::TAU).sin_cos();
            let round = |v: f32| v.signum() * v.abs().powf(2.0 / 6.0);
            let crown = if share > 0.7 { 0.03 * share } else { 0.0 };
            let p = Vec3::new(
                round(cos) * width,
                (ahead + behind) / 2.0 + round(sin) * (ahead - behind) / 2.0,
                SILL + (self.height - SILL - 0.03) * height + crown,
            );
            (p, p)
        });
    }

    fn wheel(mesh: &mut Mesh, hub: Vec3, side: f32, rolled: f32, material: u32) {
        let rows = [(-0.10, 0.94), (-0.07, 1.0), (0.07, 1.0), (0.095, 0.95), (0.10, 0.7), (0.08, 0.62)];
        let turned = rolled / WHEEL;
        mesh.surface(rows.len(), 20, material, |row, column| {
            let (out, share) = rows[row];
            let (sin, cos) = (column as f32 / 20.0 * std::f32::consts::TAU).sin_cos();
            let (r_sin, r_cos) = (column as f32 / 20.0 * std::f32::consts::TAU + turned).sin_cos();
            let radius = WHEEL * share;
            (hub + Vec3::new(side * out, cos * radius, sin * radius), Vec3::new(out, r_cos * radius, r_sin * radius))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_stands_on_its_wheels_and_has_its_size() {
        let car = Car { paint: Vec3::splat(0.5), length: 4.4, height: 1.48, tail: 0.6 };
        let mesh = car.mesh(3.0);
        let (low, high) = mesh
            .vertices
            .iter()
            .fold((Vec3::MAX, Vec3::MIN), |(low, high), v| (low.min(v.position), high.max(v.position)));
        assert!(low.z.abs() < 0.01, "lowest point {}", low.z);
        assert!((high.z - 1.48).abs() < 0.02, "roof {}", high.z);
        assert!((high.y - low.y - 4.4).abs() < 0.01);
    }
}
