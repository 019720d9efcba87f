"""Questionnaires: their form, the shipped one, and the answer sheet. Pure."""

from surveys.questionnaire.form import Choice, Item, Questionnaire, Section
from surveys.questionnaire.sheet import AnswerSheet, InvalidAnswers, Problem, SheetUnreadable, read_form
from surveys.questionnaire.shipped import UnitNode, shipped

__all__ = [
    "AnswerSheet",
    "Choice",
    "InvalidAnswers",
    "Item",
    "Problem",
    "Questionnaire",
    "Section",
    "SheetUnreadable",
    "UnitNode",
    "read_form",
    "shipped",
]
