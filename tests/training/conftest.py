import pytest
import speaking_policy
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base():
    """The folder of a tiny policy that writes the answer form with random letters."""
    return speaking_policy.shared()[0]


@pytest.fixture(scope="session")
def questions():
    """Questions whose images exist, in the policy's vocabulary."""
    return speaking_policy.shared()[1]
