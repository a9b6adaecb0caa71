//! `QUE`: what the server says of a queue, for an operator's or a client's
//! questions about its own queue.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hushwing_sansio::Timestamp;

use super::subscriptions::Reading;
use super::{Engine, Stop};
use crate::server::record::{Id, QueueRecord};
use crate::server::request::{Answer, ConnectionId};
use crate::server::storage::{MessageBody, Storage, StoredMessage};

impl Engine {
    /// `QUE`.
    pub(super) fn inspect(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: &QueueRecord,
    ) -> Result<Answer, Stop> {
        let depth = self.remembered.depth(storage, record.row)?;
        let head = storage.head(record.row)?.map(|(_, message)| message);
        let secured = record.sender_key.is_some();
        let mut json = format!(r#"{{"qiSnd":{secured},"qiNtf":false"#);
        if let Some(used) = self.subscriptions.get(from, record.row) {
            let thread = match used.reading {
                Reading::Subscribed => "noSub",
                Reading::Asking => "prohibitSub",
            };
            json.push_str(&format!(r#","qiSub":{{"qSubThread":"{thread}""#));
            if let Some(delivered) = used.delivered {
                json.push_str(&format!(r#","qDelivered":"{}""#, text(&delivered.id)));
            }
            json.push('}');
        }
        json.push_str(&format!(r#","qiSize":{}"#, depth.count));
        if let Some(message) = head {
            json.push_str(&format!(r#","qiMsg":{}"#, describe(&message)));
        }
        json.push('}');
        Ok(Answer::Info(json))
    }
}

fn text(id: &Id) -> String {
    URL_SAFE.encode(id.0)
}

fn describe(message: &StoredMessage) -> String {
    let kind = match message.body {
        MessageBody::Message { .. } => "message",
        MessageBody::Quota => "quota",
    };
    let id = text(&message.id);
    let at = iso_time(message.at);
    format!(r#"{{"msgId":"{id}","msgTs":"{at}","msgType":"{kind}"}}"#)
}

/// `at` as an ISO 8601 UTC time of whole seconds.
fn iso_time(at: Timestamp) -> String {
    let (days, second) = (at.as_secs() / 86_400, at.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the day this many days after 1970-01-01, by counting
/// in years that begin in March, so that leap days fall at their end.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_utc() {
        let show = |secs| iso_time(Timestamp::from_secs(secs));
        assert_eq!(show(0), "1970-01-01T00:00:00Z");
        assert_eq!(show(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(show(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(show(4_102_444_800), "2100-01-01T00:00:00Z");
    }
}
