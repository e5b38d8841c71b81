from urllib.parse import urlsplit

import aniworld_site.downloads.models
from django.db import migrations, models


def name_own_hosts(apps, schema_editor):
    """A source that might be on the own network may be at its own host there, and nowhere else."""
    Source = apps.get_model("downloads", "Source")
    for source in Source.objects.filter(may_be_private=True):
        try:
            source.private_hosts = urlsplit(source.url).hostname or ""
        except ValueError:
            continue
        source.save(update_fields=["private_hosts"])


def allow_again(apps, schema_editor):
    Source = apps.get_model("downloads", "Source")
    Source.objects.exclude(private_hosts="").update(may_be_private=True)


class Migration(migrations.Migration):

    dependencies = [
        ('downloads', '0004_pictures'),
    ]

    operations = [
        migrations.AddField(
            model_name='source',
            name='private_hosts',
            field=models.CharField(blank=True, default='', help_text='Addresses on this machine or its network are refused, but of these hosts; with commas.', max_length=1000, validators=[aniworld_site.downloads.models.validate_hosts], verbose_name='hosts on my own network'),
            preserve_default=False,
        ),
        migrations.RunPython(name_own_hosts, allow_again),
        migrations.RemoveField(
            model_name='source',
            name='may_be_private',
        ),
    ]
