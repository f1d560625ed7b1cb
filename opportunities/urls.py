from django.urls import path

from opportunities import views

app_name = "opportunities"
urlpatterns = [
    path("", views.opportunity_list, name="opportunity_list"),
    path("new/", views.opportunity_new, name="opportunity_new"),
    path("<int:opportunity_id>/", views.opportunity, name="opportunity"),
    path("<int:opportunity_id>/edit/", views.opportunity_edit, name="opportunity_edit"),
    path("<int:opportunity_id>/delete/", views.opportunity_delete, name="opportunity_delete"),
    path("<int:opportunity_id>/move/", views.opportunity_move, name="opportunity_move"),
    path("<int:opportunity_id>/next/", views.step_plan, name="step_plan"),
    path("<int:opportunity_id>/done/", views.step_done, name="step_done"),
    path("<int:opportunity_id>/later/", views.step_later, name="step_later"),
]
