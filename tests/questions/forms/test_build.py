from dataclasses import replace

from robotr1.questions.build import build_questions
from robotr1.questions.forms.build import other_forms


def test_only_the_chosen_forms_are_made(study, settings):
    splits = build_questions(*study, settings)
    for forms in ([], ["open"], ["planning"], ["open", "planning"]):
        made = other_forms(splits, study[1], replace(settings, forms=forms))
        assert list(made) == forms
        assert all(set(parts) == set(splits) and parts["train"] for parts in made.values())
