use jiff::civil::Date;
use karaul_wire::ReplyCode;

use super::{Answer, Orders};
use crate::site::Outcome;

/// More days are not told at once.
const MOST_DAYS: i32 = 62;
/// Nor so many bytes: as much as a picture may have.
const MOST_BYTES: usize = 256 << 10;

impl Orders {
    pub(super) fn ledger(&self, first: Date, last: Date) -> Answer {
        if last < first {
            return Err(Outcome::invalid(format!("the days from {first} to {last} end before they begin")));
        }
        if (last - first).get_days() >= MOST_DAYS {
            return Err(Outcome::invalid(format!(
                "{first} to {last} are more than {MOST_DAYS} days; ask for some of them after the others"
            )));
        }
        let ledger = self.delivery.ledger.days(first..=last);
        let days = match ledger.len() {
            0 => {
                let detail = format!("the box has nothing on record of {first} to {last}");
                return Err(Outcome::new(ReplyCode::NotFound, detail));
            }
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        if serde_json::to_vec(&ledger).is_ok_and(|json| json.len() > MOST_BYTES) {
            return Err(Outcome::invalid(format!(
                "{days} of this box are more than {} KiB; ask for some of them after the others",
                MOST_BYTES >> 10
            )));
        }
        Ok(Outcome { ledger, ..Outcome::done(format!("{days} of the ledger")) })
    }
}
