# ************************************************************
# Alice Doe dump of data
# Export date: 2024-05-06 07:08:09
# How to use:
# * create a fresh database
# * run migrations (`php artisan migrate`)
# * import this sql file
# ************************************************************

SET FOREIGN_KEY_CHECKS=0;

INSERT IGNORE INTO `accounts` (`id`,`api_key`,`number_of_invitations_sent`) VALUES
 (1,'secret-key',NULL);

INSERT IGNORE INTO `activities` (`id`,`account_id`,`activity_type_id`,`summary`,`description`,`happened_at`,`created_at`,`updated_at`) VALUES
 (5,1,3,'Lunch','at the harbour','2022-02-03','2022-02-04 08:00:00','2022-02-04 08:00:00');

INSERT IGNORE INTO `contacts` (`id`,`account_id`,`first_name`,`middle_name`,`last_name`,`nickname`,`gender_id`,`description`,`uuid`,`is_starred`,`is_partial`,`is_active`,`is_dead`,`deceased_special_date_id`,`birthday_special_date_id`,`first_met_through_contact_id`,`first_met_special_date_id`,`first_met_where`,`first_met_additional_info`,`job`,`company`,`food_preferences`,`avatar_photo_id`,`created_at`,`updated_at`) VALUES
 (11,1,'Aoife',NULL,'O\'Brien','Ní; \"B\"',2,'Line one
-- not a comment, (1,2); it\\s text','c-11',1,0,1,0,NULL,21,12,22,'the energy meetup','by the coffee','Founder','Café & Cie, SARL','',31,'2021-03-04 09:30:00','2021-03-04 09:30:00'),
 (12,1,'Kofi',NULL,'Mensah',NULL,NULL,NULL,'c-12',0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2021-03-04 09:30:00','2021-03-04 09:30:00');

INSERT IGNORE INTO `activity_contact` (`activity_id`,`account_id`,`contact_id`) VALUES
 (5,1,11),
 (5,1,12);

INSERT IGNORE INTO `activity_types` (`id`,`account_id`,`activity_type_category_id`,`name`,`translation_key`) VALUES
 (3,1,1,NULL,'ate_at_restaurant');

INSERT IGNORE INTO `addresses` (`id`,`account_id`,`place_id`,`contact_id`,`name`) VALUES
 (1,1,41,11,'home');

INSERT IGNORE INTO `calls` (`id`,`account_id`,`contact_id`,`called_at`,`content`,`contact_called`) VALUES
 (1,1,11,'2022-03-01 00:00:00','Talked about storage.',0);

INSERT IGNORE INTO `companies` (`id`,`account_id`,`name`) VALUES
 (51,1,'Port of Tema');

INSERT IGNORE INTO `contact_field_types` (`id`,`account_id`,`name`,`fontawesome_icon`,`protocol`,`delible`,`type`) VALUES
 (1,1,'Email','fa fa-envelope-open-o','mailto:',0,'email'),
 (2,1,'Phone','fa fa-volume-control-phone','tel:',0,'phone');

INSERT IGNORE INTO `contact_fields` (`id`,`account_id`,`contact_id`,`contact_field_type_id`,`data`) VALUES
 (1,1,11,1,'aoife@example.org'),
 (2,1,11,2,+436605550101),
 (3,1,11,2,06605550102);

INSERT IGNORE INTO `contact_tag` (`contact_id`,`tag_id`,`account_id`) VALUES
 (11,61,1);

INSERT IGNORE INTO `conversations` (`id`,`account_id`,`contact_id`,`contact_field_type_id`,`created_at`) VALUES
 (71,1,11,1,'2022-05-03 09:00:00');

INSERT IGNORE INTO `genders` (`id`,`account_id`,`name`,`type`) VALUES
 (2,1,'Woman','F');

INSERT IGNORE INTO `messages` (`id`,`account_id`,`contact_id`,`conversation_id`,`content`,`written_at`,`written_by_me`) VALUES
 (1,1,11,71,'Are you free?','2022-05-02 00:00:00',1),
 (2,1,11,71,'On Friday.','2022-05-02 00:00:00',0);

INSERT IGNORE INTO `notes` (`id`,`account_id`,`contact_id`,`body`,`is_favorited`,`created_at`) VALUES
 (1,1,11,'Wants to move\\nto hydrogen.',0,'2021-03-04 09:30:00'),
 (2,1,11,'A row with a value too few');

INSERT IGNORE INTO `occupations` (`id`,`account_id`,`contact_id`,`company_id`,`title`,`currently_works_here`) VALUES
 (1,1,12,51,'Harbour pilot',1);

INSERT IGNORE INTO `photos` (`id`,`account_id`,`original_filename`,`new_filename`) VALUES
 (31,1,'aoife.jpg','photos/abc.jpg');

INSERT IGNORE INTO `places` (`id`,`account_id`,`street`,`city`,`province`,`postal_code`,`country`) VALUES
 (41,1,'Lendplatz 1','Graz',NULL,8020,'AT');

INSERT IGNORE INTO `relationship_types` (`id`,`account_id`,`name`,`name_reverse_relationship`) VALUES
 (81,1,'mentor','protege');

INSERT IGNORE INTO `relationships` (`id`,`account_id`,`relationship_type_id`,`contact_is`,`of_contact`) VALUES
 (1,1,81,12,11);

INSERT IGNORE INTO `reminders` (`id`,`account_id`,`contact_id`,`initial_date`,`title`,`description`,`frequency_type`,`frequency_number`,`inactive`) VALUES
 (1,1,11,'2019-05-20','Ask about the thesis',NULL,'month',3,0);

INSERT IGNORE INTO `special_dates` (`id`,`account_id`,`contact_id`,`uuid`,`is_age_based`,`is_year_unknown`,`date`) VALUES
 (21,1,11,'d-1',1,0,'1984-01-01'),
 (22,1,11,'d-2',0,0,'2019-11-08');

INSERT IGNORE INTO `tags` (`id`,`account_id`,`name`,`name_slug`) VALUES
 (61,1,'mentor','mentor');

INSERT IGNORE INTO `users` (`id`,`first_name`,`email`,`password`,`account_id`) VALUES
 (1,'Alice','alice@example.org','$2y$10$secret',1);

INSERT IGNORE INTO `contact_photo` (`contact_id`, `photo_id`, `created_at`, `updated_at`) VALUES
 (11,31,'2021-03-04 09:30:00','2021-03-04 09:30:00');

SET FOREIGN_KEY_CHECKS=1;
