package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.GenesisCodec;
import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The genesis record of a repository in a directory. */
final class GenesisFile {
  /** A genesis record has 300 bytes. */
  static final int BYTES_MAX = 64 << 10;

  private final String format;
  private final Folder root;

  /**
   * @param format the name of the format that the record has to have
   */
  GenesisFile(String format, Folder root) {
    this.format = format;
    this.root = root;
  }

  /** Null when the directory is no repository. */
  @Nullable Genesis read() throws IOException {
    byte[] found = root.read(Genesis.FILE, BYTES_MAX);
    return found == null
        ? null
        : GenesisCodec.decode(
            found, format, root.path().toString(), root.path(Genesis.FILE).toString());
  }

  /**
   * Several hosts may do this at once: the first link wins, and every host reads the winner's
   * record.
   */
  void create(Genesis genesis) throws IOException {
    publish(genesis, (temporary, written) -> root.link(Genesis.FILE, temporary, written));
  }

  /** Gives the repository a new key and a new secret. */
  void rekey() throws IOException {
    Genesis before = read();
    if (before == null) {
      throw new IOException("it has no " + Genesis.FILE);
    }
    // Replaces the record on purpose: the old key is the original's.
    publish(
        GenesisCodec.rekeyed(before),
        (temporary, written) -> root.rename(Genesis.FILE, temporary, written));
  }

  private interface Naming {
    void give(Folder temporary, String written) throws IOException;
  }

  private void publish(Genesis genesis, Naming naming) throws IOException {
    String written = "genesis." + UUID.randomUUID();
    try (Folder temporary = root.folder(DirectoryConnection.TEMPORARY)) {
      try (NativeFile file = temporary.createNew(written, FileModes.SECRET)) {
        file.write(0, GenesisCodec.encode(genesis));
        file.sync();
        naming.give(temporary, written);
      } catch (FileFailure.Exists e) {
        return;
      } finally {
        temporary.remove(written);
      }
    }
    root.force();
  }
}
