//! What a look of the engine costs with fifty objects and twenty rules.

#[path = "rules/busy.rs"]
mod busy;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use karaul::rules::Findings;

fn rules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("look of the engine");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    let (mut yard, mut findings) = (busy::Yard::new(), Findings::default());
    for _ in 0..60 * busy::PACE {
        yard.step();
        yard.look(&mut findings);
        findings.clear();
    }
    group.bench_function("50 objects, 20 rules", |bench| {
        bench.iter_custom(|looks| {
            let mut spent = Duration::ZERO;
            for _ in 0..looks {
                yard.step();
                let begun = Instant::now();
                yard.look(black_box(&mut findings));
                spent += begun.elapsed();
                findings.clear();
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
