//! From every frame to ICRS and back: rotations, and for FK4 the E-terms of aberration.
//!
//! Sources: FK5 to ICRS, [USNO Circular 179](https://arxiv.org/abs/astro-ph/0602086), section 3.5; precession and obliquity,
//! IAU 2006 (Hilton et al. 2006, Celest. Mech. Dyn. Astron. 94, 351; Capitaine et al. 2003, A&A 412, 567), without nutation;
//! FK4 to FK5, Murray 1989, A&A 218, 325; precession of FK4, Newcomb as in the Explanatory Supplement (1992), section 3.215;
//! galactic pole, Blaauw et al. 1960, in FK5 as Reid & Brunthaler 2004 give it.

use super::Frame;

/// A direction: a unit vector towards it.
pub(super) type Vector = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// Returns the direction in ICRS of a direction in `frame`.
pub(super) fn to_icrs(frame: Frame, at: Vector) -> Vector {
    match frame {
        Frame::Icrs | Frame::Unstated => at,
        Frame::Fk5 { equinox } => rotate_back(&fk5_from_icrs(equinox), at),
        Frame::Fk4 { equinox } => {
            let at = without_e_terms(at, equinox);
            let fk5 = rotate(&product(&fk4_to_fk5(equinox), &newcomb(equinox, 1950.0)), at);
            rotate_back(&bias(), unit(fk5))
        }
        Frame::Galactic => rotate_back(&galactic_from_icrs(), at),
        Frame::Ecliptic { equinox } => rotate_back(&ecliptic_from_icrs(equinox), at),
    }
}

/// Returns the direction in `frame` of a direction in ICRS.
pub(super) fn from_icrs(frame: Frame, at: Vector) -> Vector {
    match frame {
        Frame::Icrs | Frame::Unstated => at,
        Frame::Fk5 { equinox } => rotate(&fk5_from_icrs(equinox), at),
        Frame::Fk4 { equinox } => {
            // The matrix is not quite a rotation; its transpose is what SOFA and astropy take for the way back.
            let fk4 = rotate_back(&fk4_to_fk5(equinox), rotate(&bias(), at));
            with_e_terms(unit(rotate(&newcomb(1950.0, equinox), fk4)), equinox)
        }
        Frame::Galactic => rotate(&galactic_from_icrs(), at),
        Frame::Ecliptic { equinox } => rotate(&ecliptic_from_icrs(equinox), at),
    }
}

/// ICRS to FK5 at J2000.0: the frame bias.
fn bias() -> Matrix {
    const MAS: f64 = 1.0 / 3_600_000.0;
    product(&turn_x(19.9 * MAS), &product(&turn_y(9.1 * MAS), &turn_z(-22.9 * MAS)))
}

fn fk5_from_icrs(equinox: f64) -> Matrix {
    if equinox == 2000.0 { bias() } else { product(&precession(equinox), &bias()) }
}

fn galactic_from_icrs() -> Matrix {
    let turn = product(&turn_y(90.0 - 27.128_251_180_856_22), &turn_z(192.859_481_206_534_8));
    product(&product(&turn_z(180.0 - 122.931_918_568_002_6), &turn), &bias())
}

fn ecliptic_from_icrs(equinox: f64) -> Matrix {
    product(&turn_x(obliquity((equinox - 2000.0) / 100.0) / 3600.0), &biased_precession(equinox))
}

/// J2000.0 to a Julian epoch, without the frame bias.
fn precession(equinox: f64) -> Matrix {
    product(&biased_precession(equinox), &transposed(&biased_precession(2000.0)))
}

/// GCRS to the mean equator and equinox of a Julian epoch, by the Fukushima-Williams angles.
fn biased_precession(equinox: f64) -> Matrix {
    let t = (equinox - 2000.0) / 100.0;
    let gamma = polynomial(t, [-0.052_928, 10.556_378, 0.493_204_4, -0.000_312_38, -0.000_002_788, 0.000_000_026]);
    let phi = polynomial(t, [84_381.412_819, -46.811_016, 0.051_126_8, 0.000_532_89, -0.000_000_44, -0.000_000_017_6]);
    let psi = polynomial(t, [-0.041_775, 5_038.481_484, 1.558_417_5, -0.000_185_22, -0.000_026_452, -0.000_000_014_8]);
    let turned = product(&turn_x(phi / 3600.0), &turn_z(gamma / 3600.0));
    product(&turn_x(-obliquity(t) / 3600.0), &product(&turn_z(-psi / 3600.0), &turned))
}

/// The mean obliquity of the ecliptic, in seconds of arc.
fn obliquity(t: f64) -> f64 {
    polynomial(t, [84_381.406, -46.836_769, -0.000_183_1, 0.002_003_4, -0.000_000_576, -0.000_000_043_4])
}

/// FK4 without E-terms at B1950.0 to FK5 at J2000.0, for a position seen at a Besselian epoch: FK4 rotates.
fn fk4_to_fk5(epoch: f64) -> Matrix {
    const AT_1950: Matrix = [
        [0.999_925_679_495_687_7, -0.011_181_483_220_466_2, -0.004_859_003_815_359_2],
        [0.011_181_483_239_171_7, 0.999_937_484_893_313_5, -0.000_027_162_594_714_2],
        [0.004_859_003_772_314_3, -0.000_027_170_293_744_0, 0.999_988_194_602_374_2],
    ];
    const PER_CENTURY: Matrix = [
        [-0.002_645_526_2e-6, -1.153_991_868_9e-6, 2.111_134_619_0e-6],
        [1.154_062_816_1e-6, -0.012_904_299_7e-6, 0.023_602_147_8e-6],
        [-2.111_297_904_8e-6, -0.005_602_444_8e-6, 0.010_258_773_4e-6],
    ];
    let t = (julian_epoch(epoch) - 1950.0) / 100.0;
    let mut matrix = AT_1950;
    for (row, change) in matrix.iter_mut().zip(&PER_CENTURY) {
        for (value, change) in row.iter_mut().zip(change) {
            *value += change * t;
        }
    }
    matrix
}

/// Precession of FK4 between two Besselian epochs.
fn newcomb(from: f64, to: f64) -> Matrix {
    let t = (from - 1850.0) / 1000.0;
    let dt = (to - 1850.0) / 1000.0 - t;
    let first = (0.060 * t + 139.720) * t + 23_035.545;
    let zeta = ((17.995 * dt + (-0.27 * t + 30.240)) * dt + first) * dt / 3600.0;
    let z = ((18.325 * dt + (109.480 + 0.39 * t)) * dt + first) * dt / 3600.0;
    let first = (-0.37 * t - 85.29) * t + 20_051.12;
    let theta = ((-41.8 * dt + (-0.37 * t - 42.65)) * dt + first) * dt / 3600.0;
    product(&turn_z(-z), &product(&turn_y(theta), &turn_z(-zeta)))
}

/// The E-terms of aberration, which FK4 has in its positions.
fn e_terms(equinox: f64) -> Vector {
    let days = besselian_jd(equinox);
    let t = (days - besselian_jd(1950.0)) / 36_525.0;
    let k = 0.005_693_2_f64.to_radians() * ((-0.000_000_126 * t - 0.000_041_93) * t + 0.016_730_11);
    let perigee = ((((0.012 * t + 1.65) * t + 6_190.67) * t + 1_015_489.951) / 3600.0).to_radians();
    // The obliquity of 1980.
    let t = (days - 2_451_545.0) / 36_525.0;
    let obliquity = polynomial(t, [84_381.448, -46.815_0, -0.000_59, 0.001_813, 0.0, 0.0]);
    let (sin, cos) = (obliquity / 3600.0).to_radians().sin_cos();
    [k * perigee.sin(), -k * perigee.cos() * cos, -k * perigee.cos() * sin]
}

fn without_e_terms(at: Vector, equinox: f64) -> Vector {
    let terms = e_terms(equinox);
    let along = dot(terms, at);
    unit(std::array::from_fn(|i| at[i] - terms[i] + along * at[i]))
}

fn with_e_terms(at: Vector, equinox: f64) -> Vector {
    let terms = e_terms(equinox);
    let sum: Vector = std::array::from_fn(|i| at[i] + terms[i]);
    let mut found = at;
    for _ in 0..10 {
        let scale = 1.0 + dot(terms, found);
        found = sum.map(|value| value / scale);
    }
    unit(found)
}

/// The Julian Date of a Besselian epoch.
fn besselian_jd(epoch: f64) -> f64 {
    2_415_020.313_52 + (epoch - 1900.0) * 365.242_198_781
}

/// The Julian epoch of a Besselian one.
fn julian_epoch(besselian: f64) -> f64 {
    2000.0 + (besselian_jd(besselian) - 2_451_545.0) / 365.25
}

fn polynomial(t: f64, coefficients: [f64; 6]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient)
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn unit(at: Vector) -> Vector {
    let length = dot(at, at).sqrt();
    at.map(|value| value / length)
}

fn rotate(matrix: &Matrix, at: Vector) -> Vector {
    matrix.map(|row| dot(row, at))
}

fn rotate_back(matrix: &Matrix, at: Vector) -> Vector {
    rotate(&transposed(matrix), at)
}

fn transposed(matrix: &Matrix) -> Matrix {
    std::array::from_fn(|i| matrix.map(|row| row[i]))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = transposed(b);
    a.map(|row| columns.map(|column| dot(row, column)))
}

/// Turns of the axes about one of them, in degrees.
fn turn_x(angle: f64) -> Matrix {
    let (sin, cos) = angle.to_radians().sin_cos();
    [[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]]
}

fn turn_y(angle: f64) -> Matrix {
    let (sin, cos) = angle.to_radians().sin_cos();
    [[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]]
}

fn turn_z(angle: f64) -> Matrix {
    let (sin, cos) = angle.to_radians().sin_cos();
    [[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]
}
