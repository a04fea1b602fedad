"""How many hostile samples of our own there are, each with a control that shows that it works."""

from tests.attacks.attack import Attack
from tests.attacks.bombs import BOMBS
from tests.attacks.escapes import AT_COMPILE_TIME, AT_RUN_TIME, as_sample
from tests.attacks.evasions import EVASIONS
from tests.attacks.reward_hacks import REWARD_HACKS

FAMILIES: dict[str, list[Attack]] = {
    "reward hacks": REWARD_HACKS,
    "escapes at compile time": list(AT_COMPILE_TIME),
    "escapes at run time": [Attack(name, as_sample(attempt)) for name, attempt in AT_RUN_TIME.items()],
    "resource bombs": [bomb for bomb in BOMBS if not bomb.defused],
    "policy evasions": list(EVASIONS),
}


def test_there_are_at_least_a_hundred_and_no_two_are_the_same() -> None:
    attacks = [attack for family in FAMILIES.values() for attack in family]
    assert len(attacks) >= 200
    assert (
        len({attack.code for attack in attacks}) == len({attack.name for attack in attacks}) == len(attacks)
    )
    assert all(len(family) >= 15 for family in FAMILIES.values())
