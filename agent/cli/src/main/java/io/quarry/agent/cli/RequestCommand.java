package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about calls. */
@Command(
    name = "request",
    description = "Commands about calls whose answer was lost.",
    footer = {"", "Example:", "  quarry request cancel main REQUEST"},
    subcommands = {RequestCancel.class})
final class RequestCommand extends Group {}
