from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('netcrm', '0002_digest_sections_and_caps'),
    ]

    operations = [
        migrations.AlterField(
            model_name='mail',
            name='state',
            field=models.CharField(choices=[('queued', 'queued'), ('sending', 'sending'), ('sent', 'sent'), ('failed', 'failed'), ('expired', 'expired')], default='queued', max_length=7),
        ),
        migrations.AddIndex(
            model_name='mail',
            index=models.Index(condition=models.Q(('state__in', ['failed', 'expired'])), fields=['next_try_at'], name='mail_given_up'),
        ),
    ]
