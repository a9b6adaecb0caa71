//! What people can do to and with each other, one behaviour a test. One binary,
//! because linking costs more than running.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod bent;
mod bent_input;
mod blocked;
mod changes;
mod channels;
mod channels_hostile;
mod channels_kept;
mod channels_order;
mod crash;
mod damage;
mod devices;
mod devices_history;
mod devices_history_hostile;
mod devices_history_said;
mod devices_hostile;
mod devices_pairs;
mod devices_pairs_apart;
mod devices_pairs_hostile;
mod devices_pairs_past;
mod devices_pairs_rotation;
mod devices_pairs_stolen;
mod devices_restored;
mod devices_revoked;
mod devices_rooms;
mod devices_thrown_out;
mod failover;
mod flood;
mod hoard;
mod hostile;
mod hostile_mls;
mod hostile_places;
mod hostile_provable;
mod inquiry;
mod introduced_by_mallory;
mod introduction_ends;
mod introductions;
mod intruder;
mod invite_and_talk;
mod keep;
mod lists;
mod lost;
mod lost_often;
mod opened_again;
mod otr;
mod otr_again;
mod otr_bounds;
mod otr_hostile;
mod parted;
mod patience;
mod profiles;
mod provable;
mod receipts;
mod recovery;
mod renewal;
mod restored;
mod restored_twice;
mod rooms;
mod rooms_again;
mod rooms_apart;
mod rooms_avatar;
mod rooms_costs;
mod rooms_crowd;
mod rooms_entry;
mod rooms_failover;
mod rooms_forty;
mod rooms_heralds;
mod rooms_joining;
mod rooms_kept;
mod rooms_known;
mod rooms_letters;
mod rooms_links;
mod rooms_many;
mod rooms_past;
mod rooms_renewal;
mod rooms_restored;
mod rooms_roll;
mod rooms_rotation;
mod rooms_shadow;
mod rooms_signs;
mod rooms_stewards;
mod rooms_undone;
mod rooms_vanish;
mod rooms_weeks;
mod rooms_wide;
mod rooms_wide_apart;
mod rooms_wide_hostile;
mod rooms_wide_mailboxes;
mod rooms_wide_moves;
mod rooms_wide_numbers;
mod rotation;
mod search;
mod support;
mod tended;
mod town;
mod typing;
mod vanish;
mod verification;
mod weather;
mod wishes;
