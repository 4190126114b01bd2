"""How an organisation measures risks and weighs improvements: its own scheme, and what that makes of its inputs."""

import pytest
from isms_client import Organisation, Refused, as_dict

STEPS = ["Rare", "Possible", "Likely"]
THREE = {"likelihoods": STEPS, "impacts": ["Little", "Some", "Much", "All"], "appetite": 4,
         "bands": [{"name": "Green", "from_level": 1}, {"name": "Amber", "from_level": 4},
                   {"name": "Red", "from_level": 9}]}
SCORE = {"maximum_score": 100, "bands": [{"name": "Low", "from_level": 1}, {"name": "High", "from_level": 60}]}


@pytest.fixture
def manager():
    return Organisation().person("ISMS_MANAGER")


def risk(manager, **fields):
    return manager.CreateInput(input={"title": "T", "risk": fields})


def test_every_organisation_has_a_scheme_without_asking_for_one(manager):
    scheme = manager.GetRiskScheme()
    assert (len(scheme.likelihoods), len(scheme.impacts), scheme.appetite, scheme.revision) == (5, 5, 9, 0)
    assert [(band.name, band.from_level) for band in scheme.bands] == [
        ("Low", 1), ("Medium", 5), ("High", 10), ("Critical", 17)]
    assert sum(criterion.weight for criterion in manager.GetImprovementScheme().criteria) == 100


@pytest.mark.parametrize("level, band", [((1, 1), "Low"), ((2, 2), "Low"), ((1, 5), "Medium"), ((3, 3), "Medium"),
                                         ((2, 5), "High"), ((4, 4), "High"), ((4, 5), "Critical")])
def test_a_level_is_the_product_and_has_its_bands_name(manager, level, band):
    got = risk(manager, current={"likelihood": level[0], "impact": level[1]}).risk
    assert (got.current.level, got.current.band) == (level[0] * level[1], band)
    assert got.above_appetite == (level[0] * level[1] > 9)


def test_a_risk_with_an_appetite_of_its_own_is_judged_by_that(manager):
    assert risk(manager, current={"likelihood": 2, "impact": 2}, appetite=3).risk.above_appetite
    assert not risk(manager, current={"likelihood": 4, "impact": 4}, appetite=16).risk.above_appetite


def test_what_the_service_computes_is_not_taken_from_a_client(manager):
    got = risk(manager, current={"likelihood": 1, "impact": 1, "band": "Splendid"}, above_appetite=True).risk
    assert got.current.band == "Low" and not got.above_appetite
    made = manager.CreateInput(input={"title": "T", "improvement": {"score": 99}})
    assert made.improvement.score == 0


def test_a_step_alone_can_be_changed_and_the_level_follows(manager):
    made = risk(manager, current={"likelihood": 3, "impact": 4})
    assert made.risk.current.level == 12
    got = manager.UpdateInput(id=made.id, input={"risk": {"current": {"likelihood": 1}}},
                              update_mask="risk.current.likelihood").risk
    assert (got.current.likelihood, got.current.impact, got.current.level, got.current.band) == (1, 4, 4, "Low")
    assert not got.above_appetite


def test_a_smaller_matrix_is_held_to_its_own_steps(manager):
    scheme = manager.UpdateRiskScheme(scheme=THREE)
    assert (scheme.revision, list(scheme.likelihoods)) == (1, STEPS) and manager.GetRiskScheme() == scheme
    got = risk(manager, current={"likelihood": 3, "impact": 4}).risk
    assert (got.current.level, got.current.band, got.above_appetite) == (12, "Red", True)
    with pytest.raises(Refused) as refused:
        risk(manager, current={"likelihood": 4, "impact": 1})
    assert refused.value.fields == {"input.risk.current.likelihood": "is 4, and the matrix has 3 steps of likelihood"}


def test_a_score_needs_no_steps(manager):
    manager.UpdateRiskScheme(scheme=SCORE)
    got = risk(manager, current={"level": 75}, target={"level": 20}, appetite=80).risk
    assert (got.current.level, got.current.band, got.target.band) == (75, "High", "Low") and not got.above_appetite
    for given, field, words in (({"likelihood": 1, "level": 5}, "likelihood", "not used"),
                                ({"impact": 1, "level": 5}, "impact", "not used"),
                                ({"level": 101}, "level", "above the highest score, 100")):
        with pytest.raises(Refused) as refused:
            risk(manager, residual=given)
        assert list(refused.value.fields) == [f"input.risk.residual.{field}"]
        assert words in refused.value.fields[f"input.risk.residual.{field}"]


def test_another_scheme_rewrites_nothing_that_is_there(manager):
    made = risk(manager, current={"likelihood": 5, "impact": 5})
    scored = manager.CreateInput(input={"title": "T", "improvement": {"scores": [{"criterion": "cost", "score": 80}]}})
    manager.UpdateRiskScheme(scheme=THREE)
    manager.UpdateImprovementScheme(scheme={"criteria": [{"key": "benefit", "name": "Benefit", "weight": 100}]})
    assert manager.GetInput(id=made.id) == made and manager.GetInput(id=scored.id) == scored
    with pytest.raises(Refused) as refused:  # until somebody writes it again
        manager.UpdateInput(id=made.id, input={"title": "Again"}, update_mask="title")
    assert list(refused.value.fields) == ["input.risk.current.likelihood"]


def test_an_improvement_is_scored_by_the_weights(manager):
    scores = [{"criterion": "risk_reduction", "score": 80}, {"criterion": "benefit", "score": 50.5},
              {"criterion": "cost", "score": 100}]
    made = manager.CreateInput(input={"title": "T", "improvement": {"scores": scores}})
    assert made.improvement.score == pytest.approx(0.4 * 80 + 0.3 * 50.5 + 0.15 * 100)
    manager.UpdateImprovementScheme(scheme={"criteria": [{"key": "benefit", "name": "Benefit", "weight": 62.5},
                                                         {"key": "speed", "name": "Speed", "weight": 37.5}]})
    again = manager.UpdateInput(id=made.id, input={"improvement": {"scores": [{"criterion": "speed", "score": 80},
                                                                              {"criterion": "benefit"}]}},
                                update_mask="improvement.scores")
    assert again.improvement.score == 30
    none = manager.UpdateInput(id=made.id, input={"title": "T", "improvement": {}})
    assert none.improvement.score == 0 and "score" not in as_dict(none)["improvement"]


WRONG = {
    "two steps": ({**THREE, "likelihoods": STEPS[:2]}, "likelihoods"),
    "one side of a matrix": ({**THREE, "impacts": []}, "impacts"),
    "the other side of a matrix": ({**THREE, "likelihoods": []}, "impacts"),
    "two steps of impact": ({**THREE, "impacts": STEPS[:2]}, "impacts"),
    "a matrix and a score": ({**THREE, "maximum_score": 10}, "maximum_score"),
    "neither": ({"bands": THREE["bands"]}, "maximum_score"),
    "bands that begin above 1": ({**SCORE, "bands": [{"name": "All", "from_level": 2}]}, "bands[0].from_level"),
    "a band that begins nowhere": ({**SCORE, "bands": [{"name": "All"}]}, "bands[0].from_level"),
    "a further band that begins nowhere": ({**SCORE, "bands": [{"name": "All", "from_level": 1}, {"name": "More"}]},
                                           "bands[1].from_level"),
    "bands in disorder": ({**THREE, "bands": [*THREE["bands"][::2], THREE["bands"][1]]}, "bands[2].from_level"),
    "a band twice": ({**THREE, "bands": [THREE["bands"][0], {"name": "green", "from_level": 2}]}, "bands[1].name"),
    "a band beyond the matrix": ({**THREE, "bands": [THREE["bands"][0], {"name": "Hot", "from_level": 13}]},
                                 "bands[1].from_level"),
    "an appetite beyond the matrix": ({**THREE, "appetite": 13}, "appetite"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_scheme_that_does_not_fit_together_is_refused_by_field(manager, what):
    scheme, field = WRONG[what]
    with pytest.raises(Refused) as refused:
        manager.UpdateRiskScheme(scheme=scheme)
    assert (refused.value.reason, list(refused.value.fields)) == ("FIELD_INVALID", [f"scheme.{field}"])
    assert manager.GetRiskScheme().revision == 0


@pytest.mark.parametrize("criteria, field", [
    ([{"key": "a", "name": "A", "weight": 60}, {"key": "b", "name": "B", "weight": 39}], "criteria"),
    ([{"key": "a", "name": "A"}], "criteria"),
    ([{"key": "a", "name": "A", "weight": 50}, {"key": "a", "name": "B", "weight": 50}], "criteria[1].key")])
def test_weights_make_a_hundred_per_cent_of_different_criteria(manager, criteria, field):
    with pytest.raises(Refused) as refused:
        manager.UpdateImprovementScheme(scheme={"criteria": criteria})
    assert list(refused.value.fields) == [f"scheme.{field}"]


def test_a_mask_changes_one_field_and_an_etag_guards_it(manager):
    default = manager.GetRiskScheme()
    first = manager.UpdateRiskScheme(scheme={"appetite": 6, "etag": default.etag}, update_mask="appetite")
    assert (first.appetite, first.revision, first.bands) == (6, 1, default.bands)
    with pytest.raises(Refused) as refused:
        manager.UpdateRiskScheme(scheme={"appetite": 7, "etag": default.etag}, update_mask="appetite")
    assert refused.value.reason == "ETAG_MISMATCH"
    second = manager.UpdateRiskScheme(scheme={"description": "By the board", "etag": first.etag},
                                      update_mask="description")
    assert (second.appetite, second.revision) == (6, 2)


def test_who_records_inputs_does_not_move_the_scale():
    organisation = Organisation()
    for role in ("CONTRIBUTOR", "TOP_MANAGEMENT", "AUDITOR"):
        caller = organisation.person(role)
        assert caller.GetRiskScheme().appetite == 9
        with pytest.raises(Refused) as refused:
            caller.UpdateRiskScheme(scheme=THREE)
        assert refused.value.reason == "PERMISSION_DENIED"
    assert organisation.admin.UpdateRiskScheme(scheme=THREE).revision == 1
    changes = organisation.admin.ListChanges(page_size=1).changes
    assert (changes[0].table, changes[0].operation) == ("inputs.risk_scheme", "CREATE")


def test_the_scheme_is_the_organisations_own(manager):
    manager.UpdateRiskScheme(scheme=THREE)
    assert Organisation().person("ISMS_MANAGER").GetRiskScheme().revision == 0
