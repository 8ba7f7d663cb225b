//! Once warmed up, the rules allocate nothing: memory stays where it is over weeks, and a look costs the same each time.

#[path = "../../agent/benches/rules/busy.rs"]
mod busy;

use std::collections::BTreeSet;

use karaul::rules::{Change, Findings};

#[test]
fn looks_allocate_nothing_after_a_minute() {
    let (mut yard, mut findings) = (busy::Yard::new(), Findings::default());
    let (mut begun, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let mut allocating = Vec::new();
    for look in 0..60 * busy::PACE + 300 {
        yard.step();
        let counted = allocation_counter::measure(|| yard.look(&mut findings));
        if counted.count_total > 0 && look >= 60 * busy::PACE {
            allocating.push((look, counted.count_total, counted.bytes_total));
        }
        for finding in findings.iter() {
            match finding.change {
                Change::Began => _ = begun.insert(finding.rule),
                Change::Ended(_) => _ = ended.insert(finding.rule),
                Change::Holds => {}
            }
        }
        findings.clear();
    }
    assert_eq!(allocating, [], "look, allocations, bytes");
    // That was no idle time. What is about a place and not about somebody goes on, and among so many people nothing that was
    // put down is ever alone.
    let camera = busy::camera();
    let names = |rules: &BTreeSet<usize>| -> Vec<&str> {
        (0..camera.rules.len()).filter(|i| !rules.contains(i)).map(|i| camera.rules[i].id.as_str()).collect()
    };
    assert_eq!(names(&begun), ["abandoned"], "rules that have not begun");
    assert_eq!(names(&ended), ["crowd", "dense-crowd", "abandoned", "group"], "rules that have not ended");
}
