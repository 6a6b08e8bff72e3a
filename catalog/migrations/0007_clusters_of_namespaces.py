from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_squashed_0006")]

    operations = [
        migrations.AlterField(
            model_name="watchedcluster",
            name="name",
            field=models.CharField(max_length=127, primary_key=True, serialize=False),
        ),
    ]
