"""Words of the people's room, for the pages of any room that shows them."""

from django import template

from contacts import models

register = template.Library()
register.filter("say_rhythm", models.say_rhythm)
