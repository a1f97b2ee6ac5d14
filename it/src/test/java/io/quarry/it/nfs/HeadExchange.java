package io.quarry.it.nfs;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * One of two processes on two hosts that write the head in turns. The writer puts a name after the
 * head; the other process awaits the name and prints {@code HEAD round head}.
 */
final class HeadExchange {
  private static final long POLL_MILLIS = 10;

  private HeadExchange() {}

  /**
   * Arguments: a directory of a slot store, the host, the first round to write, how many rounds.
   */
  public static void main(String[] args) throws Exception {
    int own = Integer.parseInt(args[2]);
    int rounds = Integer.parseInt(args[3]);
    try (DirectorySlotStore store =
        new DirectorySlotStore(Folder.open(Path.of(args[0])), args[1])) {
      for (int round = 0; round < rounds; round++) {
        String name = "round." + round;
        if (round % 2 == own) {
          store.writeHead(round);
          store.putIfAbsent(name, new byte[0]);
        } else {
          while (store.read(name) == null) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
          }
          System.out.println("HEAD " + round + " " + store.readHead().orElse(-1));
        }
      }
    }
  }
}
