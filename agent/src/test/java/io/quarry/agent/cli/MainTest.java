package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

final class MainTest {
  @Test
  void versionNamesTheProgram() {
    StringWriter out = new StringWriter();
    int exit = Main.commandLine().setOut(new PrintWriter(out)).execute("--version");
    assertThat(exit).isEqualTo(CommandLine.ExitCode.OK);
    assertThat(out.toString()).startsWith("quarry ");
  }
}
