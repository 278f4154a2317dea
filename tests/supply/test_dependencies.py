"""What stands in pyproject.toml has a purpose and a tested version; what Python runs needs no compiler of ours."""

import dependencies
import pytest
from packaging.utils import canonicalize_name

DIRECT = dependencies.direct()


def test_every_dependency_has_a_purpose():
    assert {canonicalize_name(one.name) for one in DIRECT} == dependencies.PURPOSES.keys()


@pytest.mark.parametrize("asked", DIRECT, ids=lambda asked: asked.name)
def test_the_tested_version_is_within_the_range(asked):
    assert dependencies.constraints()[canonicalize_name(asked.name)] in asked.specifier


def test_every_dependency_has_a_lower_bound():
    """Without one an old release that lies in a cache would do, and fail at run time."""
    unbound = [one.name for one in DIRECT if not any(part.operator in (">=", "==", "~=") for part in one.specifier)]
    assert unbound == []


def test_constraints_name_versions_and_no_address():
    assert all("/" not in version for version in dependencies.constraints().values())
