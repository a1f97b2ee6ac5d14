package io.quarry.it.agents;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.it.bench.BarePrimitive;
import io.quarry.it.bench.CommitLatency;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Prints the {@link CommitLatency} of a directory. */
final class DirectoryLatency {
  private DirectoryLatency() {}

  /** Arguments: a directory, how many commits. */
  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[0]);
    Path commits = Files.createDirectories(directory.resolve("commits"));
    Files.createDirectories(commits.resolve("log"));
    Files.createDirectories(commits.resolve("tmp"));
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(commits), "a")) {
      CommitLatency.Steps bare =
          (round, times) ->
              BarePrimitive.run(Files.createDirectories(directory.resolve("bare" + round)), times);
      CommitLatency.measure(store, Integer.parseInt(args[1]), Map.of("BARE", bare)).print();
    }
  }
}
