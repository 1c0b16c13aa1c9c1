//! The catalogues: how each begins its names, and how it writes them.

use super::cursor::Cursor;
use super::designation::{
    astrophysical_transient, baikal, baksan, burst, coordinates, gravitational_wave, lettered_day, lower_lettered_day,
    night_number, numbered_day, old_coordinates, radio_burst, supernova, survey, wide_field, zwicky,
};

/// Reads what follows a prefix, as the catalogue writes it.
type Read = fn(&mut Cursor<'_>) -> Option<String>;

/// One way in which names begin.
pub(super) struct Catalogue {
    /// What subjects write, in lower case. A `-` stands for any separators, or none.
    pub(super) prefixes: &'static [&'static str],
    /// What the catalogue writes in place of the prefix.
    pub(super) written: &'static str,
    pub(super) read: Read,
    /// Whether a further designation may follow without its prefix: `GRBs 991208 and 991216`.
    pub(super) lists: bool,
}

const fn one(prefixes: &'static [&'static str], written: &'static str, read: Read) -> Catalogue {
    Catalogue { prefixes, written, read, lists: false }
}

const fn many(prefixes: &'static [&'static str], written: &'static str, read: Read) -> Catalogue {
    Catalogue { prefixes, written, read, lists: true }
}

/// Every catalogue. Of those that begin alike, the longer prefix comes first.
///
/// Gravitational-wave candidates (`S…`, `G…`) are read by [`super::superevent`], since their prefix is a single letter.
pub(super) const CATALOGUES: &[Catalogue] = &[
    many(&["grbs", "grb"], "GRB ", burst),
    many(&["xrfs", "xrf"], "XRF ", burst),
    many(&["frbs", "frb"], "FRB ", radio_burst),
    many(&["icecube-cascade", "ic-cascade"], "IceCube-Cascade ", lettered_day),
    many(&["icecube", "ic"], "IceCube-", lettered_day),
    one(&["hawc"], "HAWC-", lettered_day),
    one(&["nuem"], "NuEm-", lettered_day),
    one(&["antares", "ant"], "ANTARES ", lettered_day),
    one(&["km3net", "km3"], "KM3-", lettered_day),
    one(&["baikal-gvd", "gvd"], "GVD", baikal),
    one(
        &["baksan-neutrino-observatory-alert", "baksan-neutrino-alert", "baksan-alert"],
        "Baksan Neutrino Observatory Alert ",
        baksan,
    ),
    many(&["epw"], "EPW", wide_field),
    many(&["ep-wxt", "ep", "wxt"], "EP", lower_lettered_day),
    one(&["lxt", "leia"], "LXT ", lettered_day),
    one(&["svom-sb", "sb"], "sb", night_number),
    many(&["gw"], "GW", gravitational_wave),
    one(&["lvt"], "LVT", numbered_day),
    many(&["at"], "AT", astrophysical_transient),
    many(&["sne", "sn"], "SN ", supernova),
    many(&["ztf"], "ZTF", zwicky),
    one(&["iptf"], "iPTF", survey),
    one(&["ptf"], "PTF", survey),
    one(&["atlas"], "ATLAS", survey),
    one(&["asassn"], "ASASSN-", survey),
    one(&["gaia"], "Gaia", survey),
    one(&["goto"], "GOTO", survey),
    one(&["dlt"], "DLT", survey),
    one(&["ps1"], "PS1-", survey),
    one(&["ps"], "PS", survey),
    one(&["sgr-swift", "sgr-sw"], "SGR Swift ", coordinates),
    one(&["sgr"], "SGR ", old_coordinates),
    one(&["swift", "sw"], "Swift ", coordinates),
    one(&["maxi"], "MAXI ", coordinates),
    one(&["xte"], "XTE ", coordinates),
    one(&["igr"], "IGR ", coordinates),
    one(&["sax"], "SAX ", coordinates),
    one(&["gro"], "GRO ", coordinates),
    one(&["cxou"], "CXOU ", coordinates),
    one(&["1rxs"], "1RXS ", coordinates),
    one(&["ep"], "EP ", coordinates),
    one(&["leia"], "LEIA ", coordinates),
    one(&["srga"], "SRGA ", coordinates),
    one(&["srgt"], "SRGt ", coordinates),
    one(&["erasst"], "eRASSt ", coordinates),
    one(&["erassu"], "eRASSU ", coordinates),
    one(&["master-ot"], "MASTER OT ", coordinates),
    one(&["psr"], "PSR ", coordinates),
    one(&["1e"], "1E ", old_coordinates),
    one(&["4u"], "4U ", old_coordinates),
    one(&["grs"], "GRS ", old_coordinates),
    one(&["axp"], "AXP ", old_coordinates),
];
