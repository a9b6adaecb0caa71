//! Records whose `Debug` tells their name and nothing that is in them.

macro_rules! hidden {
    ($($record:ident),+ $(,)?) => {$(
        impl core::fmt::Debug for $record {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($record), "(..)"))
            }
        }
    )+};
}

pub(super) use hidden;
