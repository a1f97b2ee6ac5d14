package io.quarry.it.nfs;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.SlotStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * One of two processes on two hosts that put the same names. Prints {@code WON directory name} for
 * each name that it has put.
 */
final class LinkRace {
  private static final long POLL_MILLIS = 10;

  private LinkRace() {}

  /** Arguments: the own host, the other host, how many names, directories of slot stores. */
  public static void main(String[] args) throws Exception {
    String own = args[0];
    String other = args[1];
    int names = Integer.parseInt(args[2]);
    for (int i = 3; i < args.length; i++) {
      try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(Path.of(args[i])), own)) {
        store.putIfAbsent("ready." + own, new byte[0]);
        while (store.read("ready." + other) == null) {
          TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        for (int name = 0; name < names; name++) {
          put(store, args[i], own, "slot." + name);
        }
      }
    }
  }

  private static void put(SlotStore store, String directory, String own, String name)
      throws Exception {
    byte[] content = own.getBytes(StandardCharsets.US_ASCII);
    if (store.putIfAbsent(name, content) == SlotStore.Put.CREATED) {
      System.out.println("WON " + Path.of(directory).getFileName() + " " + name);
    }
  }
}
