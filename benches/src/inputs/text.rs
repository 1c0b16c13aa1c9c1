//! A circular and a notice.

use hop_models::Circular;

pub(super) fn circular() -> Circular {
    let titles = [
        ("title", "GCN CIRCULAR"),
        ("number", "39999"),
        ("subject", "GRB 260131A: optical observations at the Example Observatory"),
        ("date", "26/01/31 09:01:24 GMT"),
        ("from", "Ada Lovelace at Example Observatory  <ada@example.org>"),
    ];
    Circular::new(titles, BODY)
}

const BODY: &str = "\
A. Lovelace (Example Observatory), C. Herschel (Slough), and M. Mitchell (Nantucket) report on behalf of a larger
collaboration:

We observed the field of GRB 260131A (Example et al., GCN 39990) with the 1.5-m telescope at the Example Observatory,
starting 0.31 hr after the trigger. In a stack of 12 x 60 s exposures in the r band we find an uncatalogued source
inside the enhanced XRT position at

RA(J2000)  = 10:00:27.90
Dec(J2000) = -02:12:21.0

with an uncertainty of 0.3 arcsec. We measure the following magnitudes, calibrated against Pan-STARRS and not
corrected for Galactic extinction:

Tmid-T0 (hr)   filter   exposure (s)   magnitude
0.35           r        12 x 60        18.92 +/- 0.04
0.62           i        12 x 60        18.61 +/- 0.05
1.10           r        12 x 60        20.05 +/- 0.09

The source has faded by more than a magnitude between the first and the last epoch, with a slope of about -0.9, and we
suggest that it is the afterglow. Further observations are planned, and spectroscopy is encouraged while it is bright.

We thank the staff of the Example Observatory, in particular M. Somerville and W. Fleming, for their excellent support.
";

pub(super) const NOTICE: &str = "\
TITLE:           GCN/SWIFT NOTICE
NOTICE_DATE:     Sat 31 Jan 26 04:05:36 UT
NOTICE_TYPE:     Swift-BAT GRB Position
TRIGGER_NUM:     1299999,   Seg_Num: 0
GRB_RA:          150.116d {+10h 00m 27.9s} (J2000),
                 150.450d {+10h 01m 48s} (current),
                 149.478d {+09h 57m 55s} (1950)
GRB_DEC:          -2.206d {-02d 12' 21\"} (J2000),
                  -2.333d {-02d 19' 59\"} (current),
                  -1.966d {-01d 57' 57\"} (1950)
GRB_ERROR:       3.00 [arcmin radius, statistical only]
GRB_INTEN:       2125 [cnts]    Image_Peak=209 [image_cnts]
TRIGGER_DUR:     1.024 [sec]
TRIGGER_INDEX:   147       E_range:  25-100 keV
BKG_INTEN:       30812 [cnts]
BKG_TIME:        14696.51 SOD {04:04:56.51} UT
BKG_DUR:         8 [sec]
GRB_DATE:        21071 TJD;    31 DOY;   26/01/31
GRB_TIME:        14706.25 SOD {04:05:06.25} UT
GRB_PHI:         -63.20 [deg]
GRB_THETA:        27.75 [deg]
SOLN_STATUS:     0x3
RATE_SIGNIF:     11.87 [sigma]
IMAGE_SIGNIF:    8.61 [sigma]
MERIT_PARAMS:     +1  +0  +0  +2  +2  -3  +0  +0 +50  +0
SUN_POSTN:       313.41d {+20h 53m 39s}  -17.34d {-17d 20' 20\"}
SUN_DIST:        157.09 [deg]   Sun_angle= 10.9 [hr] (East of Sun)
MOON_POSTN:      130.68d {+08h 42m 43s}  +22.75d {+22d 45' 06\"}
MOON_DIST:        31.25 [deg]
MOON_ILLUM:      98 [%]
COMMENTS:        SWIFT-BAT GRB Coordinates.
COMMENTS:        This is a rate trigger.
COMMENTS:        A point_source was found.
COMMENTS:        This does not match any source in the on-board catalog.
";
