import subprocess
import sys

import pytest

from motifidelity.metrics.declare import all_metrics


def test_every_metric_of_the_benchmark_is_found_without_a_list():
    assert set(all_metrics()) == {
        "answer_shift",
        "auroc",
        "aupr",
        "paper_aupr",
        "match_any",
        "match_fraction",
        "motifs_found",
        "motif_recall",
        "redundancy",
        "filter_precision",
        "gradient_completeness",
        "maps",
        "negative_auroc",
        "other_classes_auroc",
        "specificity_auroc",
        "gradient_fidelity",
        "filter_f1",
        "scan_reliance",
        "untrained_filter_f1",
        "flat_filters",
        "paper_match_any",
        "paper_match_fraction",
        "paper_motif_coverage",
        "localisation_auroc",
        "paper_localisation_auroc",
        "attribution_auroc",
        "attribution_aupr",
        "attribution_constant",
        "attribution_mismatched",
        "auroc_error",
        "pearson_error",
        "maps_error",
        "attribution_prevalence",
        "paper_attribution_auroc",
        "paper_attribution_aupr",
        "instance_recall",
        "signal_to_noise",
        "pwm_cosine",
        "deletion_area",
        "insertion_area",
        "infidelity",
        "randomisation_similarity",
        "trial_agreement",
        "trial_cosine",
        "completeness_error",
        "pattern_recall",
        "pattern_precision",
        "match_fraction_sweep",
        "match_stability",
        "family_match_fraction",
        "family_recall",
        "rule_auroc",
        "designed_rule_auroc",
        "spacing_agreement",
        "instance_effect",
        "map_effect",
        "map_sign",
        "pearson",
        "spearman",
        "r2",
        "calibration_slope",
        "variant_effect_r",
        "variant_effect_rho",
        "variant_sign",
        "map_variant_r",
        "affinity_response",
        "affinity_slope",
        "epistasis",
        "kind_auroc",
        "auroc_worst",
        "strand_consistency",
        "decoy_auroc",
        "shifted_worst",
        "shifted_maps",
    }


@pytest.mark.parametrize("metric", all_metrics().values(), ids=lambda m: m.name)
def test_every_declaration_is_complete_and_consistent(metric):
    assert metric.name.startswith("paper_") == (metric.definition == "paper")
    assert metric.summary.endswith(".")
    assert metric.source
    assert metric.version >= 1
    low = -float("inf") if metric.low is None else metric.low
    high = float("inf") if metric.high is None else metric.high
    assert low < high
    assert metric.chance is None or low <= metric.chance <= high


def test_declarations_are_read_without_loading_heavy_libraries():
    code = (
        "import sys; from motifidelity.metrics.declare import all_metrics; "
        "light = 'numpy' not in sys.modules; all_metrics(); "
        "heavy = set(sys.argv[1].split()) & set(sys.modules); "
        "print(light, sorted(heavy))"
    )
    heavy = "sklearn scipy numba memelite pandas tensorflow keras"
    result = subprocess.run([sys.executable, "-c", code, heavy], capture_output=True, text=True)
    assert result.stdout.strip() == "True []", result.stderr
