//! Models (in the making).
