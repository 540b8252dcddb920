/// Mean radius of the Earth, km: (2a + b) / 3 of WGS 84 (IUGG).
pub const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Great-circle distance between two points (latitude, longitude in degrees), km, by the haversine
/// formula: within 0.6 % of the way on the ellipsoid, and exact where the points are close.
pub fn great_circle_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (latitude_1, latitude_2) = (from.0.to_radians(), to.0.to_radians());
    let half_latitude = (latitude_2 - latitude_1) / 2.0;
    let half_longitude = (to.1 - from.1).to_radians() / 2.0;
    let haversine = half_latitude.sin().powi(2)
        + latitude_1.cos() * latitude_2.cos() * half_longitude.sin().powi(2);
    // Rounding can take antipodes a little over 1, where asin is not defined.
    2.0 * EARTH_RADIUS_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_ROUND: f64 = std::f64::consts::PI * EARTH_RADIUS_KM;

    #[test]
    fn distances() {
        // The last column is the tolerance, km.
        let check = |from: (f64, f64), to: (f64, f64), km: f64, tolerance: f64| {
            for (a, b) in [(from, to), (to, from)] {
                let got = great_circle_km(a, b);
                assert!((got - km).abs() <= tolerance, "{a:?} to {b:?}: {got}, expected {km}");
            }
        };
        // By definition.
        check((0.0, 0.0), (0.0, 0.0), 0.0, 0.0);
        check((0.0, 0.0), (0.0, 180.0), HALF_ROUND, 1e-6);
        check((90.0, 0.0), (-90.0, 77.0), HALF_ROUND, 1e-6);
        check((12.5, 30.0), (-12.5, -150.0), HALF_ROUND, 1e-3);
        check((0.0, 0.0), (0.0, 90.0), HALF_ROUND / 2.0, 1e-6);
        check((90.0, 10.0), (0.0, -60.0), HALF_ROUND / 2.0, 1e-6);
        // One degree and one minute of arc (a nautical mile is 1.852 km).
        check((0.0, 0.0), (1.0, 0.0), 111.195_080, 1e-5);
        check((50.0, 8.0), (50.0 + 1.0 / 60.0, 8.0), 1.853_251, 1e-5);
        // Over the antimeridian: 2 degrees on the equator, not 358.
        check((0.0, 179.0), (0.0, -179.0), 222.390_160, 1e-5);
        // Known pairs: BNA to LAX is the example of Rosetta Code (2,887.26 km at radius 6372.8).
        check((36.12, -86.67), (33.94, -118.4), 2_887.26 * EARTH_RADIUS_KM / 6372.8, 0.01);
        // Rotterdam to Singapore, Shanghai to Los Angeles, as atlases give them.
        check((51.9167, 4.5), (1.2833, 103.85), 10_540.0, 60.0);
        check((31.2333, 121.4667), (33.7333, -118.2667), 10_480.0, 60.0);
        // No antipodes are too far for the formula.
        for n in -900_i32..=900 {
            let (latitude, longitude) = (f64::from(n) / 10.0, f64::from(n) / 7.0);
            check((latitude, longitude), (-latitude, longitude + 180.0), HALF_ROUND, 1e-3);
        }
        // Two berths of one port.
        check((51.9500, 4.0500), (51.9500, 4.0514), 0.0959, 0.001);
    }
}
