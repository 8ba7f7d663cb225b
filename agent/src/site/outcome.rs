use karaul_wire::{LedgerDay, Picture, ReplyCode};

/// What became of a command: what a [`Reply`](karaul_wire::Reply) says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For programs.
    pub code: ReplyCode,
    /// One sentence for operators.
    pub detail: String,
    /// What `snapshot` asked for; in a box of its own, as few outcomes have one.
    pub picture: Option<Box<Picture>>,
    /// What `ledger` asked for.
    pub ledger: Vec<LedgerDay>,
}

impl Outcome {
    pub(super) fn new(code: ReplyCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), picture: None, ledger: Vec::new() }
    }

    pub(super) fn done(detail: impl Into<String>) -> Self {
        Self::new(ReplyCode::Done, detail)
    }

    pub(super) fn failed(detail: impl Into<String>) -> Self {
        Self::new(ReplyCode::Failed, detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ReplyCode::Invalid, detail)
    }
}
