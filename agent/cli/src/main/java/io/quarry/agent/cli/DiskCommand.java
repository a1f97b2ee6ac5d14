package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about virtual disks. */
@Command(
    name = "disk",
    description = "Commands about virtual disks.",
    footer = {"", "Example:", "  quarry disk create main 10G"},
    subcommands = {DiskCreate.class})
final class DiskCommand extends Group {}
