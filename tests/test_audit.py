"""What went wrong in public code of this field, and the tests that would have told.

Findings E1 and E2 of our audit of the scripts behind a paper on gates (design notes,
``dynamicgate-audit.md``), by number. A finding whose tests are renamed or lost is told here.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from minimidl.layers import DynamicGate
from minimidl.learning import Adam, Budget

TESTS = Path(__file__).parent

FINDINGS: dict[str, tuple[str, list[str]]] = {
    "E1.1": ("the straight-through line reversed: no mask, no gradient", [
        "gates/test_straight_through.py::test_the_detector_tells_our_gate_from_the_reversed_line",
        "layers/test_weight_gate.py::test_the_penalty_alone_does_not_reproduce_the_trained_gates"]),
    "E1.2": ("equal gates cross the threshold in one step; zero neurons counted, all run", [
        "test_audit.py::test_gates_that_start_alike_close_all_at_once_and_ours_do_not",
        "experiment/test_run.py::test_the_executed_mask_is_the_reported_one"]),
    "E1.3": ("gates decay by schedule alone, whatever the data", [
        "layers/test_gated.py::test_the_task_alone_moves_every_part_of_the_gate"]),
    "E1.4": ("the pruned baseline is dense again after three steps", [
        "learning/test_pruning.py::test_masks_persist_after_every_optimiser_step",
        "measure/test_layer_macs.py::test_counts_against_loops_over_all_connections"]),
    "E1.5": ("80 steps of rewiring every 400", [
        "learning/test_rewiring.py::test_a_training_without_a_rewiring_is_told_before_it_begins"]),
    "E1.6": ("a checkpoint without temperature and threshold", [
        "learning/test_loop.py::test_the_best_epoch_comes_back_with_its_layer_state",
        "learning/test_checkpoint.py::test_load_weights_fills_a_model_in_place"]),
    "E1.7": ("the best of 78 runs chosen on the test part", [
        "experiment/test_compare.py::test_the_test_part_is_read_once_when_all_is_chosen",
        "experiment/test_compare.py::test_another_test_part_changes_no_choice"]),
    "E1.8": ("routers and gates that no gradient reaches, adapted online", [
        "layers/test_experts.py::test_the_task_alone_moves_every_router",
        "studies/test_plasticity.py::test_adapting_gates_that_the_task_does_not_reach_is_refused"
        "_even_if_a_budget_moves_them"]),
    "E1.9": ("modes of adaptation run one after the other on one model", [
        "studies/test_plasticity.py::test_every_mode_begins_at_the_same_saved_state",
        "studies/test_plasticity.py::test_temperature_and_threshold_are_the_same_in_every_mode"]),
    "E1.10": ("a gate that costs 64 % of the network and is not counted", [
        "measure/test_macs.py::test_binary_gates_multiply_nothing_and_linear_gates_cost_a_layer"]),
    "E2.12": ("temperature and threshold confounded: gates open again", [
        "learning/test_states.py::test_temperature_and_threshold_are_confounded",
        "learning/test_states.py::test_a_cut_that_rises_closes_gates_whatever_the_temperature_does",
    ]),
    "E2.13": ("a starting probability that forgets the temperature", [
        "layers/test_dynamic_gate.py::"
        "test_the_starting_probability_is_what_was_asked_for_at_any_temperature"]),
    "E2.14": ("min_keep opens everything where gates are equal", [
        "gates/choosers/test_choosers.py::"
        "test_min_keep_opens_the_best_and_ties_go_to_the_lowest_index",
        "layers/test_weight_gate.py::test_min_keep_with_ties_opens_exactly_so_many"]),
    "E2.15": ("trained with drawn masks, judged with others", [
        "gates/choosers/test_choosers.py::test_estimators_decide_alike_in_evaluation",
        "layers/test_dynamic_gate.py::test_training_and_evaluation_decide_alike"]),
    "E2.16": ("a budget on probabilities, a report of masks; pulls below Adam's eps", [
        "losses/test_budget_rows.py::"
        "test_the_hard_quadratic_counts_what_is_executed_not_what_is_probable",
        "layers/test_weight_gate.py::test_a_pull_below_the_epsilon_of_adam_moves_nothing"]),
    "E2.17": ("weight decay pulls gates towards one half", [
        "learning/test_optimizer.py::test_adamw_decays_weights_but_no_gate_bias_or_norm"]),
    "E2.18": ("a flip rate between different samples", [
        "measure/test_stability.py::test_samples_are_compared_with_themselves"]),
    "E2.19": ("samples dropped in evaluation; weight 1 and a dead router; nothing matched", [
        "gates/routers/test_capacity.py::test_nothing_is_dropped_in_evaluation_unless_asked",
        "gates/routers/test_topk_router.py::test_one_renormalised_weight_is_1_and_teaches_nobody",
        "experiment/test_experts.py::test_the_numbers_are_those_of_the_built_models"]),
    "E2.20": ("RigL in name: shares, new weights, slots and regrowth differ", [
        "learning/test_rewiring.py::test_rigl_by_hand",
        "learning/test_rewiring.py::"
        "test_what_was_just_dropped_may_grow_again_with_value_and_momentum",
        "learning/test_densities.py::test_erk_of_the_mlp_784_300_100_10"]),
    "E2.21": ("MACs as a product of mean rates", [
        "measure/test_macs.py::test_counting_is_per_sample_not_a_product_of_means"]),
    "E2.22": ("a best epoch that is neither the best nor the sparsest", [
        "learning/test_history.py::"
        "test_within_budget_prefers_an_affordable_epoch_to_a_better_dear_one",
        "learning/test_history.py::test_at_density_prefers_an_epoch_that_is_sparse_enough"]),
    "E2.23": ("a baseline that trains longer; thresholds tuned on the test part", [
        "experiment/test_compare.py::"
        "test_every_model_trains_for_the_same_number_of_epochs_by_default",
        "experiment/test_search.py::test_every_model_gets_the_recipe_and_as_many_draws"]),
}
ELSEWHERE = {"E1.11": "names that do not exist: ruff and mypy read every file"}


@pytest.mark.parametrize("finding", FINDINGS)
def test_every_finding_has_its_tests(finding: str) -> None:
    for name in FINDINGS[finding][1]:
        file, _, function = name.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_no_finding_is_left_out() -> None:
    wanted = [f"E1.{n}" for n in range(1, 12)] + [f"E2.{n}" for n in range(12, 24)]
    assert set(wanted) == FINDINGS.keys() | ELSEWHERE.keys()


def largest_fall(spread: float) -> float:
    """Share of gates that closes in the worst single step, under a usage penalty and Adam."""
    layer = DynamicGate(4, 200, gate="static", gate_spread=spread, open_probability=0.7)
    budget, optimizer = Budget("mean", 1.0), Adam(layer.params, 0.02)
    x, shares = np.zeros((1, 4), np.float32), []
    for _ in range(100):
        output, memory = layer.forward(x, training=True)
        shares.append(memory["decision"].active.mean())
        _, pull = budget({"": layer}, memory)
        optimizer.step(layer.backward(np.zeros_like(output), memory, pull[""])[1])
    return float(-np.diff(shares).min())


def test_gates_that_start_alike_close_all_at_once_and_ours_do_not() -> None:
    assert largest_fall(spread=0.0) == 1.0
    assert 0 < largest_fall(spread=1.0) < 0.05
