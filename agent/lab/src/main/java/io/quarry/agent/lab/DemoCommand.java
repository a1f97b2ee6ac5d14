package io.quarry.agent.lab;

import io.quarry.agent.cli.BadUsage;
import io.quarry.agent.cli.Exit;
import io.quarry.agent.cli.Main;
import io.quarry.agent.cli.Output;
import io.quarry.agent.cli.ProgressLine;
import io.quarry.agent.demo.Demo;
import io.quarry.agent.demo.DemoFailure;
import io.quarry.agent.demo.DemoOptions;
import io.quarry.agent.demo.DemoReport;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs the demo on this machine and verifies its result. */
@Command(
    name = "demo",
    description = {
      "Plays the whole story on this machine, and verifies every byte.",
      "A cluster, a disk of real data, a snapshot, thin disks, and a copy that goes on while the"
          + " agents that make it are killed. Ends with the figures, or with an error if anything"
          + " differs, and leaves nothing behind."
    },
    footer = {"", "Example:", "  quarry demo --directory /srv/scratch --keep"})
final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "A raw or .qcow2 image to use. Default: one made of this machine's files.")
  private @Nullable Path image;

  @Option(names = "--hosts", paramLabel = "N", description = "How many hosts. Default: 3.")
  private int hosts = 3;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "An empty or new directory to work in. Default: a temporary one.")
  private @Nullable Path directory;

  @Option(names = "--keep", description = "Leave the directory with images and logs.")
  private boolean keep;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Main main = (Main) spec.root().userObject();
    Output output = main.output(spec.commandLine());
    ProgressLine line = main.progressLine(spec.commandLine());
    try (Demo demo = new Demo(options(), new DemoScreen(line, main.terminal()));
        CleanExit cleanExit = new CleanExit(output.err(), demo::close)) {
      DemoReport report = cleanExit.unlessEnding(demo::run);
      line.close();
      output.print(report, () -> DemoText.of(report));
      return Exit.DONE;
    } catch (DemoFailure e) {
      if (e.remedy() != null) {
        throw new BadUsage(spec.commandLine(), String.valueOf(e.getMessage()), e.remedy());
      }
      throw new StorageException(
          ErrorCode.INTERNAL,
          String.valueOf(e.getMessage()),
          "quarry demo",
          keep
              ? "The agents' logs are in the directory, in host-*/agent.log."
              : "Run it again with --directory DIR --keep, and see DIR/host-*/agent.log.",
          e);
    } finally {
      line.close();
    }
  }

  private DemoOptions options() {
    try {
      return new DemoOptions(image, hosts, directory, keep);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
