"""The result of a run as build servers read it: JUnit's XML."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from catalog.type_tests.running import Report

_CONTROL = {code: "\ufffd" for code in range(32) if code not in (9, 10, 13)}


def junit(report: Report) -> bytes:
    """Return the report: a suite for each test document, one more for what could not be read."""
    root = Xml.Element("testsuites", name="type tests")
    for suite in report.suites:
        test = suite.test
        failed = sum(not result.passed for result in suite.results)
        element = Xml.SubElement(
            root,
            "testsuite",
            name=f"{test.kind} {test.target}: {test.name}",
            file=str(test.path),
            tests=str(len(suite.results)),
            failures=str(failed),
            errors="0",
            time=f"{sum(result.seconds for result in suite.results):.4f}",
        )
        for result in suite.results:
            case = Xml.SubElement(
                element,
                "testcase",
                name=result.name,
                classname=f"{test.kind}.{test.target}",
                time=f"{result.seconds:.4f}",
            )
            if result.failures:
                first = result.failures[0].splitlines()[0]
                failure = Xml.SubElement(case, "failure", message=first.translate(_CONTROL), type="failure")
                failure.text = "\n".join((result.location, *result.failures)).translate(_CONTROL)
    if report.problems:
        count = str(len(report.problems))
        element = Xml.SubElement(root, "testsuite", name="files", tests=count, failures="0", errors=count)
        for problem in report.problems:
            case = Xml.SubElement(element, "testcase", name=problem.partition(": ")[0], classname="files")
            Xml.SubElement(case, "error", message=problem.translate(_CONTROL), type="error")
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True)
