package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about hosts. */
@Command(
    name = "host",
    description = "Commands about hosts.",
    footer = {"", "Example:", "  quarry host list"},
    subcommands = {HostList.class, HostDrain.class, HostFence.class})
final class HostCommand extends Group {}
