//! The encrypted database: one SQLCipher file per profile and per role.
