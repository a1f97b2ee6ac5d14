package io.quarry.it.box;

import io.quarry.agent.dev.LocalHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells whether an agent has stopped itself. */
public final class Pausing {
  private Pausing() {}

  public static boolean stopped(LocalHost host) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + host.agentPid().orElseThrow() + "/stat"));
    return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
  }
}
