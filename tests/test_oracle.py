"""A frozen oracle: market models and classical tests of a small panel, computed once by statsmodels and plain formulas.

The expected figures below were printed by this script (Python 3.11, numpy 2.4.6, statsmodels 0.15.0, scipy 1.17.1), run
in the folder of this file; nothing of the package is used in it::

    from itertools import product
    from math import sqrt
    from pprint import pprint
    import numpy as np
    import statsmodels.api as sm
    from scipy import stats
    from test_oracle import L, M, N, panel

    market, returns = panel()
    x, days = sm.add_constant(market), range(L + M)
    coefficients, std, df, forecast, car, error, scar = [], [], [], [], [], [], []
    ar, residuals = np.full((N, M), np.nan), np.full((N, L), np.nan)
    for i, y in enumerate(returns):
        here = np.isfinite(y[:L])
        fit = sm.OLS(y[:L][here], x[:L][here]).fit()
        ahead = fit.get_prediction(x[L:])
        ar[i], residuals[i, here] = y[L:] - ahead.predicted_mean, fit.resid
        coefficients.append(fit.params.tolist())
        std.append(sqrt(fit.mse_resid))
        df.append(fit.df_resid)
        forecast.append(ahead.se_obs.tolist())
        car.append(np.nan)
        error.append(np.nan)
        if np.isfinite(y[L:]).all():  # one regression over both windows, a dummy for each event session
            both = np.r_[here, np.ones(M, bool)]
            dummies = np.vstack([np.zeros((L, M)), np.eye(M)])
            effect = sm.OLS(y[both], np.hstack([x, dummies])[both]).fit().t_test([0, 0] + [1] * M)
            car[i], error[i] = effect.effect.item(), effect.sd.item()
    car, error, df = np.array(car), np.array(error), np.array(df)
    matrix = [[np.corrcoef(residuals[[i, j]][:, np.isfinite(residuals[[i, j]]).all(0)])[0, 1] for i in range(N)]
              for j in range(N)]
    rho = (np.sum(matrix) - N) / (N * (N - 1))
    there = np.isfinite(car)
    n, c, s, d = there.sum(), car[there], (car / error)[there], df[there]
    result = {"cross_section_t": stats.ttest_1samp(c, 0)[:2], "bmp_t": stats.ttest_1samp(s, 0)[:2]}
    result["event_level_t"] = result["cross_section_t"]


    def by_t(value, freedom):
        return value, 2 * stats.t.sf(abs(value), freedom)


    def by_normal(value):
        return value, 2 * stats.norm.sf(abs(value))


    result["forecast_t"] = by_t(c[0] / error[0], df[0])
    result["kolari_pynnonen_t"] = by_t(result["bmp_t"][0] * sqrt((1 - rho) / (1 + (n - 1) * rho)), n - 1)
    patell = sum(s) / sqrt(sum(k / (k - 2) for k in d))
    result["patell_z"], result["adjusted_patell_z"] = by_normal(patell), by_normal(patell / sqrt(1 + (n - 1) * rho))
    g, size = stats.skew(c, bias=False), np.mean(c) / np.std(c, ddof=1)
    result["skewness_adjusted_t"] = by_t(sqrt(n) * (size + g * size**2 / 3 + g**2 * size**3 / 27 + g / (6 * n)), n - 1)
    mean = [np.mean([residuals[i, t] for i in range(N) if residuals[i, t] == residuals[i, t]]) for t in range(L)]
    result["portfolio_t"] = by_t(np.mean(c) / sqrt(np.var(mean, ddof=1) * (M + M**2 / L)), L - 1)
    rows, firms, days_of = np.array([(ar[i, t], i, t) for i in range(N) for t in range(M) if ar[i, t] == ar[i, t]]).T
    groups = np.column_stack([days_of, firms]).astype(int)
    clustered = sm.OLS(rows, np.ones(len(rows))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    result["clustered_t"] = by_t(clustered.tvalues.item(), M - 1)
    up = int((c > 0).sum())
    result["sign_test"] = (up - n / 2) / sqrt(n / 4), stats.binomtest(up, n).pvalue
    p = np.mean([np.mean([r > 0 for r in row if r == r]) for row in residuals])
    result["generalized_sign_z"] = by_normal((up - n * p) / sqrt(n * p * (1 - p)))
    ranks = [sum(abs(b) <= abs(a) for b in c) for a in c]
    plus = sum(r for r, a in zip(ranks, c) if a > 0)
    sums = [sum(r for r, sign in zip(ranks, signs) if sign) for signs in product([0, 1], repeat=n)]
    result["wilcoxon"] = plus, 2 * min(np.mean([v >= plus for v in sums]), np.mean([v <= plus for v in sums]))


    def over_time(score, raw, event):
        # Corrado's tests: day statistic over its root mean square, summed over the event's days
        table = [{t: score([v for v in row if v == v], row[t]) for t in days if row[t] == row[t]} for row in everything]
        daily = [[u[t] for u in table if t in u] for t in days]
        daily = [sum(u) / (len(u) if raw else sqrt(len(u))) for u in daily]
        return by_normal(sum(daily[t] for t in event) / sqrt(np.mean(np.square(daily)) * len(event)))


    everything = np.hstack([residuals, ar])
    for name, event in {"day": [L + 1], "window": list(range(L, L + M))}.items():
        result[f"corrado_rank {name}"] = over_time(
            lambda v, a: stats.rankdata(v)[v.index(a)] - (len(v) + 1) / 2, 1, event)
        result[f"corrado_zivney_rank {name}"] = over_time(
            lambda v, a: stats.rankdata(v)[v.index(a)] / (len(v) + 1) - 0.5, 0, event)
        result[f"corrado_zivney_sign {name}"] = over_time(lambda v, a: np.sign(a - np.median(v)), 0, event)
    u = []
    for i in np.flatnonzero(there):
        row = {t: residuals[i, t] / std[i] for t in range(L) if residuals[i, t] == residuals[i, t]}
        row["event"] = car[i] / error[i] / np.std(s, ddof=1)
        u.append({t: sum(w <= v for w in row.values()) / (len(row) + 1) - 0.5 for t, v in row.items()})
    square = 0.0
    for t in ["event", *range(L)]:
        column = [v[t] for v in u if t in v]
        square += len(column) / n * np.mean(column) ** 2
    event = np.mean([v["event"] for v in u])
    z = event / sqrt(square / (L + 1))
    result["grank_t"] = by_t(z * sqrt((L - 1) / (L - z**2)), L - 1)
    result["grank_z"] = by_normal(n * event / sqrt(sum((len(v) - 1) / (12 * (len(v) + 1)) for v in u)))
    tests = {name: (float(a), float(b)) for name, (a, b) in result.items()}
    for name, value in {"COEFFICIENTS": coefficients, "RESIDUAL_STD": std, "DF": df.tolist(), "FORECAST_STD": forecast,
                        "ABNORMAL": ar.tolist(), "CAR": car.tolist(), "CAR_ERROR": error.tolist(),
                        "CORRELATION": float(rho), "TESTS": tests}.items():
        print(name, end=" = ")
        pprint(value, width=100, compact=True)
"""

import numpy as np
import pytest
from numpy import nan

from market_reaction.inference import parametric, rank
from market_reaction.normal_models import fit_normal_model

L, M, N = 120, 5, 12


def panel() -> tuple[np.ndarray, np.ndarray]:
    """Market returns, shape (L + M,), and returns of N cases, shape (N, L + M), by a generator of its own."""
    state = 20250512

    def noise() -> float:
        nonlocal state
        total = 0.0
        for _ in range(4):
            state = (1103515245 * state + 12345) % 2**31
            total += state / 2**31
        return total - 2.0

    market = np.array([0.012 * noise() for _ in range(L + M)])
    common = np.array([0.008 * noise() for _ in range(L + M)])
    own = np.array([[0.015 * noise() for _ in range(L + M)] for _ in range(N)])
    returns = (0.5 + 0.1 * np.arange(N))[:, None] * market + common + own
    returns[:, L:] += np.where(np.arange(N) % 3, 0.004, -0.003)[:, None]
    returns[3, :25] = np.nan  # listed late
    returns[7, [10, 11, 60, 90]] = np.nan  # holidays of its own
    returns[11, L + 3] = np.nan  # absent on one day of the event, hence without a CAR
    return market, returns


# fmt: off
COEFFICIENTS = [[-0.00021165025987238074, 0.4039905792866685], [0.0003809299706073713, 0.5529776491427567],
 [0.0007681888111220455, 0.6466850510061886], [0.0021606094535081173, 0.782566871208143],
 [-0.00024037344913551854, 0.5644651186961498], [0.0009822661716765517, 0.8475839021639029],
 [0.0012130194935436377, 1.0076055067687315], [0.00043241501770055024, 1.0880861564175457],
 [0.0006010755679702485, 1.3860560186370114], [0.0005561132009017697, 1.205519728779862],
 [0.003651562835122306, 1.4402360429923469], [0.00038432264447470335, 1.6062579663832421]]
RESIDUAL_STD = [0.009812152303979148, 0.010188197802913822, 0.009703565266389474, 0.008489543338687938,
 0.009804811331739997, 0.009765449599327512, 0.00911082585792696, 0.010311004266292799,
 0.00982836319953395, 0.009625494228998558, 0.010346057331581154, 0.009804814272120101]
DF = [118.0, 118.0, 118.0, 93.0, 118.0, 118.0, 118.0, 114.0, 118.0, 118.0, 118.0, 118.0]
FORECAST_STD = [[0.009856815914286199, 0.009958638463357553, 0.009869936906512828, 0.009872697406209562,
  0.009865693873689641],
 [0.010234573122242685, 0.010340297966150292, 0.010248196969491896, 0.010251063263865844,
  0.01024379132470086],
 [0.00974773460296523, 0.009848430323933946, 0.009760710390589242, 0.009763440340975791,
  0.009756514313658137],
 [0.008539301218948765, 0.008646499075143824, 0.008551133364933653, 0.008557973549613032,
  0.008546680402807845],
 [0.009849441526919233, 0.009951187897341613, 0.009862552702661497, 0.009865311137087432,
  0.009858312844267855],
 [0.009809900625143796, 0.009911238531469213, 0.009822959165646714, 0.009825706526248373,
  0.009818736328301813],
 [0.009152297123668404, 0.009246841876364827, 0.009164480289151023, 0.009167043481327282,
  0.009160540528335667],
 [0.010359491058522319, 0.0104724888490952, 0.010374338790756162, 0.010376844937667584,
  0.010369626455788499],
 [0.00987310059967827, 0.009975091372260327, 0.009886243269415396, 0.009889008329800844,
  0.009881993226574449],
 [0.009669308196611189, 0.009769193759748116, 0.009682179586194588, 0.009684887572483111,
  0.009678017269234174],
 [0.01039315120645759, 0.010500514188370617, 0.010406986146399247, 0.010409896852148754,
  0.010402512238994584],
 [0.009849444480683556, 0.009951190881618811, 0.00986255566035775, 0.009865314095610917,
  0.00985831580069261]]
ABNORMAL = [[-0.004624259627369351, 0.007367143919343303, 0.007823928867614446, -0.0006493266797934264,
  0.007362863245086976],
 [0.004380768979003857, 0.00797778592170298, -0.010653406405656424, 0.009729825458987686,
  0.010457586962991657],
 [-0.0014592040129955824, 0.014427298141655357, 0.0006380223042212977, 0.0068017896486215436,
  0.019441676804888775],
 [-0.002148324564026133, 0.018724308748038807, -0.013651839151666411, -0.000173108000460216,
  -0.006972084214000115],
 [0.011833191718571725, 0.023562212899847258, -0.011564701991269806, 0.011467206760486185,
  -0.0003640278425562191],
 [0.006127009627137912, 0.034597174626455264, 0.01009993059338254, -0.014698424686370521,
  0.015230584535893993],
 [-0.01189956526704884, 0.022795994632072016, 0.0055589837318000615, -0.008002524039815162,
  -0.0022508063349704985],
 [0.008297348850675457, 0.024321126573173462, -0.006641949220925442, 0.004140463556920763,
  0.017088312155237314],
 [0.016983014368523515, 0.008054614926111623, 0.0024637249901293947, 0.011570541755680711,
  -0.005097609754076123],
 [-0.005972631587426192, 0.008233576263989684, -0.013404885186493996, -0.014322896769475072,
  0.0008339711689089539],
 [0.010890589059693902, 0.021507745968431267, 0.00610245392373137, 0.010448663805139197,
  0.012608340907019977],
 [-0.013031914200421914, 0.005428492731767827, -0.001018731750028012, nan, 0.0002924906700964248]]
CAR = [0.017280349724881867, 0.021892560917029638, 0.03984958288639126, -0.00422104718211408,
 0.034933881545079024, 0.05135627469649901, 0.006202082722037366, 0.04720530191508174,
 0.03397428628636884, -0.02463286611049689, 0.06155779366401544, nan]
CAR_ERROR = [0.022452097942577732, 0.023312562610408344, 0.022203629846310104, 0.019530686731223428,
 0.02243530038149215, 0.022345233142018476, 0.020847327697613428, 0.023614409108302724,
 0.022489191599856743, 0.022024988247232126, 0.023673775674474914, nan]
CORRELATION = 0.2366419608422916
TESTS = {'adjusted_patell_z': (2.0250593072758694, 0.042861274715416724),
 'bmp_t': (3.315976706345688, 0.007800236701830062),
 'clustered_t': (1.436809234976782, 0.2241311783436465),
 'corrado_rank day': (2.5050501911256733, 0.01224340179641858),
 'corrado_rank window': (1.6762908302918642, 0.09368124015382515),
 'corrado_zivney_rank day': (2.5442196545308056, 0.010952218830367932),
 'corrado_zivney_rank window': (1.6478615842453455, 0.09938107809788696),
 'corrado_zivney_sign day': (2.145954888765395, 0.031876577963263326),
 'corrado_zivney_sign window': (1.3631314495367524, 0.17284108672921894),
 'cross_section_t': (3.3359027362538995, 0.007542420885835035),
 'event_level_t': (3.3359027362538995, 0.007542420885835035),
 'forecast_t': (0.7696541218142354, 0.44304307609841864),
 'generalized_sign_z': (2.1150372621573967, 0.03442677159288927),
 'grank_t': (1.7499764338684998, 0.0826999847471851),
 'grank_z': (3.0816667535147793, 0.0020584514435813767),
 'kolari_pynnonen_t': (1.5790340277649304, 0.14540838137663806),
 'patell_z': (3.71553939744885, 0.0002027706664872878),
 'portfolio_t': (2.1415119231773754, 0.03427160972214704),
 'sign_test': (2.1105794120443453, 0.0654296875),
 'skewness_adjusted_t': (2.6372916732625633, 0.024849214775365204),
 'wilcoxon': (60.0, 0.013671875)}
# fmt: on
MARKET, RETURNS = panel()
FITS = [fit_normal_model("market", row[:L], MARKET[:L]) for row in RETURNS]
CLOSE = {"rtol": 1e-10, "atol": 1e-15}


def residual_panel() -> np.ndarray:
    found = np.full((N, L), np.nan)
    for row, fit in zip(found, FITS, strict=True):
        row[fit.used] = fit.residuals
    return found


RESIDUALS = residual_panel()
EVERYTHING = np.hstack([RESIDUALS, ABNORMAL])
STANDARDIZED = RESIDUALS / np.array(RESIDUAL_STD)[:, None]
SCAR = np.array(CAR) / np.array(CAR_ERROR)
FIRM, DAY = np.indices((N, M))
WINDOW = slice(L, L + M)

CALLS = {
    "forecast_t": lambda: parametric.forecast_t(CAR[0], CAR_ERROR[0], DF[0]),
    "event_level_t": lambda: parametric.event_level_t(CAR),
    "cross_section_t": lambda: parametric.cross_section_t(CAR),
    "portfolio_t": lambda: parametric.portfolio_t(np.nanmean(CAR), np.nanmean(RESIDUALS, axis=0), M),
    "patell_z": lambda: parametric.patell_z(SCAR, DF),
    "adjusted_patell_z": lambda: parametric.adjusted_patell_z(SCAR, DF, CORRELATION),
    "bmp_t": lambda: parametric.bmp_t(SCAR),
    "kolari_pynnonen_t": lambda: parametric.kolari_pynnonen_t(SCAR, CORRELATION),
    "skewness_adjusted_t": lambda: parametric.skewness_adjusted_t(CAR),
    "clustered_t": lambda: parametric.clustered_t(np.ravel(ABNORMAL), DAY.ravel(), FIRM.ravel()),
    "sign_test": lambda: rank.sign_test(CAR),
    "generalized_sign_z": lambda: rank.generalized_sign_z(CAR, RESIDUALS),
    "wilcoxon": lambda: rank.wilcoxon(CAR),
    "corrado_rank day": lambda: rank.corrado_rank(EVERYTHING, L + 1),
    "corrado_rank window": lambda: rank.corrado_rank(EVERYTHING, WINDOW),
    "corrado_zivney_rank day": lambda: rank.corrado_zivney_rank(EVERYTHING, L + 1),
    "corrado_zivney_rank window": lambda: rank.corrado_zivney_rank(EVERYTHING, WINDOW),
    "corrado_zivney_sign day": lambda: rank.corrado_zivney_sign(EVERYTHING, L + 1),
    "corrado_zivney_sign window": lambda: rank.corrado_zivney_sign(EVERYTHING, WINDOW),
}


def test_market_models_equal_statsmodels() -> None:
    np.testing.assert_allclose([fit.params for fit in FITS], COEFFICIENTS, **CLOSE)
    np.testing.assert_allclose([fit.residual_std for fit in FITS], RESIDUAL_STD, **CLOSE)
    assert [fit.df_resid for fit in FITS] == DF


def test_abnormal_returns_and_their_forecast_errors_equal_statsmodels() -> None:
    ahead = MARKET[L:]
    abnormal = np.array([fit.abnormal(row[L:], ahead) for fit, row in zip(FITS, RETURNS, strict=True)])
    covariance = np.array([fit.forecast_covariance(M, ahead) for fit in FITS])
    np.testing.assert_allclose(abnormal, ABNORMAL, **CLOSE)
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)), FORECAST_STD, **CLOSE)
    np.testing.assert_allclose(abnormal.sum(axis=1), CAR, **CLOSE)
    whole = np.isfinite(CAR)
    np.testing.assert_allclose(np.sqrt(covariance.sum(axis=(1, 2)))[whole], np.array(CAR_ERROR)[whole], **CLOSE)


def test_mean_correlation_equals_numpy_by_pairs() -> None:
    assert parametric.mean_correlation(RESIDUALS.T) == pytest.approx(CORRELATION, rel=1e-10)


@pytest.mark.parametrize("name", CALLS)
def test_statistic_and_p_value(name: str) -> None:
    found = CALLS[name]()
    assert found.name == name.split()[0]
    assert (found.statistic, found.p_value) == pytest.approx(TESTS[name], rel=1e-9)


def test_generalised_ranks_of_twelve_cases() -> None:
    statistic, df = rank.grank_statistic(SCAR, STANDARDIZED)
    assert (statistic, df) == pytest.approx((TESTS["grank_t"][0], L - 1), rel=1e-9)
    assert rank.grank_z_statistic(SCAR, STANDARDIZED) == pytest.approx(TESTS["grank_z"][0], rel=1e-9)
    assert not rank.grank_t(SCAR, STANDARDIZED, CORRELATION).applies


def test_every_figure_of_the_oracle_is_compared() -> None:
    assert set(TESTS) == {*CALLS, "grank_t", "grank_z"}
