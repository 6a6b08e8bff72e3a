"""`manage.py rollback`: an environment returns to a release that it ran before."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog import store
from catalog.manifests.command_line import ManifestCommand, add_namespace, as_one_operation
from catalog.releases.rollback import RollbackRefused, plan_rollback, roll_back
from catalog.releases.rollback_plan import RollbackPlan


class Command(ManifestCommand):
    help = "Roll a component back in one environment: rollback web --in staging [--to-release web-1a2b3c]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("component")
        add_namespace(parser)
        parser.add_argument("--in", dest="environment", required=True, metavar="ENVIRONMENT")
        parser.add_argument("--to-release", metavar="RELEASE", help="default: the one that ran before the present one")
        parser.add_argument("--plan", action="store_true", help="only show what it would change and break")
        parser.add_argument(
            "--ignore-dependencies", action="store_true", help="also if an endpoint that is consumed would be gone"
        )
        parser.add_argument("--stop-auto-deploy", action="store_true", help="where auto-deploy would undo it")

    def run(self, **options: Any) -> int:
        try:
            if options["plan"]:
                held: Any = store.get("Component", options["namespace"], options["component"])
                return self.show(plan_rollback(held, options["environment"], options["to_release"]))
            with as_one_operation("component:rollback", options["namespace"], options["component"]) as actor:
                component: Any = store.get("Component", options["namespace"], options["component"])
                done = roll_back(
                    component,
                    options["environment"],
                    actor,
                    options["to_release"],
                    stop_auto_deploy=options["stop_auto_deploy"],
                    ignore_dependencies=options["ignore_dependencies"],
                )
        except RollbackRefused as error:
            self.end(f"{error} (--stop-auto-deploy)" if "auto-deploy" in str(error) else str(error), 1)
        except store.StoreError as error:
            self.end(str(error), 1)
        self.stdout.write(f"{component.name}: {options['environment']} from {done.from_release} to {done.to_release}")
        if done.has_stopped_auto_deploy:
            self.stdout.write("auto-deploy is off now; set spec.autoDeploy to true to turn it on again")
        return 0

    def show(self, plan: RollbackPlan) -> int:
        """The plan; 1 if something stands against it."""
        self.stdout.write(f"{plan.environment} from {plan.from_release} to {plan.to_release}")
        for title, differences in (("configuration", plan.configuration), ("dependencies", plan.dependencies)):
            for item in differences:
                self.stdout.write(f"{title}: {item.path}: {item.left!r} -> {item.right!r}")
        if plan.stops_auto_deploy:
            self.stdout.write("auto-deploy would undo it: needs --stop-auto-deploy")
        for refusal in plan.refusals:
            self.stdout.write(f"refused: {refusal}")
        return 1 if plan.refusals else 0
