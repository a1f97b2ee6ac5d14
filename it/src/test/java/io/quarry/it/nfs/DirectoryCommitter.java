package io.quarry.it.nfs;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.it.log.Committer;
import io.quarry.it.log.Committer.Turns;
import java.nio.file.Path;
import java.time.Duration;

/** A {@link Committer} to a log in a directory. */
final class DirectoryCommitter {
  private static final Turns TURNS = new Turns(10, 20, Duration.ZERO, Duration.ofSeconds(3));

  private DirectoryCommitter() {}

  /** Arguments: the directory of a slot store, the SDM's name, how many commits it has to make. */
  public static void main(String[] args) throws Exception {
    try (DirectorySlotStore store =
        new DirectorySlotStore(Folder.open(Path.of(args[0])), args[1])) {
      CommitLog.create(store);
      new Committer(store, args[1], TURNS).commit(Integer.parseInt(args[2]));
    }
  }
}
