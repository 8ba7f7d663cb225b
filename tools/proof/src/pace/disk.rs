use std::{io, os::unix::fs::FileExt as _, time::Instant};

use crate::figures::Spread;

/// How long the disk itself takes to make 4 KiB lasting, written where there is a file already.
pub(super) fn fdatasync(times: u64) -> io::Result<Spread> {
    const PAGE: u64 = 4096;
    let file = tempfile::tempfile()?;
    file.set_len(PAGE * times)?;
    file.sync_all()?;
    let once = |n| {
        let began = Instant::now();
        file.write_all_at(&[n as u8; PAGE as usize], n * PAGE)?;
        file.sync_data()?;
        Ok(began.elapsed())
    };
    let all: io::Result<Vec<_>> = (0..times).map(once).collect();
    Ok(Spread::of(all?))
}
