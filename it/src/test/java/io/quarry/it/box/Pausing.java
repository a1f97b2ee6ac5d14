package io.quarry.it.box;

import io.quarry.agent.dev.LocalHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Tells whether an agent has stopped itself, and what it does when it goes on. */
public final class Pausing {
  /**
   * The storage or the SDM may seem dead to a host that has just woken up. Then the host stops
   * trying, before any other host can refuse the mend.
   */
  private static final Pattern GAVE_UP =
      Pattern.compile("No longer needed: mend-|mend-\\S+ epoch 1 has to wait");

  private Pausing() {}

  public static boolean stopped(LocalHost host) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + host.agentPid().orElseThrow() + "/stat"));
    return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
  }

  /** Whether a host has tried to finish a mend that another host has finished. */
  public static boolean gaveUpMend(String log) {
    return GAVE_UP.matcher(log).find();
  }
}
