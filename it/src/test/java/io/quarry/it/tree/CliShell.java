package io.quarry.it.tree;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.cli.Main;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;

/** Runs commands at the given agents, each as a process of its own would run. */
final class CliShell {
  private final String agents;
  private int commands;

  /** The output of a command, and its exit code. */
  record Result(int exit, String out, String err) {}

  CliShell(List<String> agents) {
    this.agents = String.join(",", agents);
  }

  int commands() {
    return commands;
  }

  Result run(String... words) {
    List<String> all = new ArrayList<>(List.of("--agent", agents));
    all.addAll(List.of(words));
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
    commands++;
    return new Result(exit, out.toString(), err.toString());
  }

  /** The output of a command that must succeed. */
  String say(String... words) {
    Result result = run(words);
    assertThat(result.exit())
        .as("quarry %s: %s%s", String.join(" ", words), result.out(), result.err())
        .isZero();
    return result.out().strip();
  }

  JsonNode ask(String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-o", "json"));
    return Json.MAPPER.readTree(say(all.toArray(String[]::new)));
  }
}
