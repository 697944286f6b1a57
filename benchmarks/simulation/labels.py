"""Plain names of tests and settings."""

TESTS = {
    "placebo": "placebo (headline)",
    "placebo_plain": "placebo, unscaled",
    "garch_rank": "GARCH-t rank",
    "drift_before": "drift before",
    "conformal_car": "conformal CAR, cyclic",
    "conformal_car_iid": "conformal CAR, iid",
    "conformal_path": "conformal path, cyclic",
    "conformal_path_iid": "conformal path, iid",
    "forecast_t": "forecast t",
    "no_reaction": "no reaction, at the margin",
    "joint_maximum": "joint placebo, maximum",
    "joint_quadratic": "joint placebo, quadratic",
    "joint_signed_mean": "joint placebo, signed mean",
    "romano_wolf": "Romano-Wolf, any market",
    "holm": "Holm, any market",
    "block_bootstrap": "stationary bootstrap",
    "portfolio_t": "portfolio t",
    "kolari_pynnonen_t": "Kolari-Pynnönen t",
    "adjusted_patell_z": "adjusted Patell z",
    "patell_z": "Patell z",
    "cross_section_t": "cross-section t",
    "bmp_t": "BMP t",
    "skewness_adjusted_t": "skewness-adjusted t",
    "sign_test": "sign test",
    "generalized_sign_z": "generalised sign z",
    "wilcoxon": "Wilcoxon",
    "corrado_rank": "Corrado rank",
    "corrado_zivney_rank": "Corrado-Zivney rank",
    "corrado_zivney_sign": "Corrado-Zivney sign",
    "grank_t": "GRANK-T",
    "grank_z": "GRANK-Z",
    "event_level_t": "event-level t",
    "sign_flip": "sign flips",
    "studentised_permutation": "studentised permutation",
    "plain permutation": "plain permutation",
    "wild_bootstrap": "wild bootstrap",
    "group_difference": "group difference",
    "calendar_time_portfolio": "calendar-time portfolio",
    "joint_dummy_regression": "joint dummy regression",
    "rigobon_sack": "Rigobon-Sack set",
}
LARGER = {"none": "unchanged", "all": "all shocks ×4", "factor": "factor ×4"}
ERRORS = {"garch_t": "GARCH-t", "t": "t(5)", "normal": "normal", "skewed": "skewed"}
TERCILES = {"all": "all", "low": "calm", "middle": "middle", "high": "volatile"}
SETTINGS = {
    "one market": "one event",
    "garch": "one event",
    "drift": "one event",
    "small pool": "one event",
    "no reaction": "one event",
    "joint": "several markets",
    "bootstrap": "several markets",
    "across markets": "several markets",
    "events": "several events",
    "resampled events": "several events",
}
INTERVALS = {
    "forecast_t": "forecast t, CAR",
    "conformal_car": "conformal, CAR, cyclic",
    "conformal_path": "conformal, path, cyclic",
    "pointwise band, whole path": "pointwise band, whole path",
    "sup_t band": "sup-t band, from the covariance",
    "sup_t band, scaled pool paths": "sup-t band, from scaled pool paths",
}


def test_name(name: str) -> str:
    """Plain name of a test; a formula run outside its domain keeps the words that say so."""
    base, comma, rest = name.partition(",")
    return TESTS.get(base, base.replace("_", " ")) + comma + rest
