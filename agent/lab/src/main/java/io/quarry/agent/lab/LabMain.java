package io.quarry.agent.lab;

import io.quarry.agent.cli.Main;
import java.util.List;

/** The command line of a checkout: also has the commands that play with clusters on one machine. */
public final class LabMain {
  private LabMain() {}

  /** Classes, so that each command line gets commands of its own. */
  static List<Object> commands() {
    return List.of(DemoCommand.class, DevCommand.class, ChaosCommand.class);
  }

  public static void main(String[] arguments) {
    Main.run(commands(), arguments);
  }
}
