from django.urls import path

from giveback import views

app_name = "giveback"
urlpatterns = [
    path("", views.giving, name="giving"),
    path("for/<int:contact_id>/", views.ideas_for, name="ideas_for"),
    path("new/", views.give_new, name="give_new"),
    path("received/", views.received_new, name="received_new"),
    path("<int:give_back_id>/", views.gift_edit, name="gift_edit"),
    path("<int:give_back_id>/keep/", views.gift_keep, name="gift_keep"),
    path("<int:give_back_id>/move/", views.gift_move, name="gift_move"),
    path("<int:give_back_id>/let-go/", views.gift_let_go, name="gift_let_go"),
    path("<int:give_back_id>/delete/", views.gift_delete, name="gift_delete"),
    path("shelf/new/", views.shelf_new, name="shelf_new"),
    path("shelf/<int:item_id>/", views.shelf_edit, name="shelf_edit"),
    path("shelf/<int:item_id>/archive/", views.shelf_archive, name="shelf_archive"),
    path("shelf/<int:item_id>/restore/", views.shelf_restore, name="shelf_restore"),
    path(
        "for/<int:contact_id>/item/<int:item_id>/dismiss/", views.item_dismiss, name="item_dismiss"
    ),
    path(
        "for/<int:contact_id>/item/<int:item_id>/propose/", views.item_propose, name="item_propose"
    ),
    path(
        "for/<int:contact_id>/with/<int:other_id>/dismiss/", views.pair_dismiss, name="pair_dismiss"
    ),
    path(
        "for/<int:contact_id>/with/<int:other_id>/propose/", views.pair_propose, name="pair_propose"
    ),
]
