package io.quarry.agent.format;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Filesystem;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.api.Json;
import io.quarry.coordinator.cluster.Canary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connected repository's storage as a directory tree, opened once. */
public final class RepositoryStorage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryStorage.class);

  private static final String CANARY = "canary";

  /** One sector, so that a reader sees the old or the new one. */
  private static final int CANARY_BYTES = 512;

  private final Folder root;
  private final Genesis genesis;
  private final DirectorySlotStore slots;
  private final VolumeStore volumes;
  private final Folder fixes;
  private final Folder temporary;

  /**
   * @param root is closed with it
   * @param group that volumes belong to
   */
  RepositoryStorage(Folder root, Genesis genesis, String writer, int group) throws IOException {
    this.root = root;
    this.genesis = genesis;
    this.slots = new DirectorySlotStore(root, writer);
    this.volumes = new VolumeStore(root.folder("volumes"), group);
    this.fixes = root.folder("fixes");
    this.temporary = root.folder("tmp");
  }

  public Genesis genesis() {
    return genesis;
  }

  public DirectorySlotStore slots() {
    return slots;
  }

  public Path root() {
    return root.path();
  }

  /** The files of volumes. */
  public VolumeStore volumes() {
    return volumes;
  }

  /** The path of a volume's file, for messages; tools get it when the file was looked at. */
  public Path volume(String file) {
    return volumes.folder().path(file);
  }

  /** One folder for each fix, with its claims and its progress. */
  public Folder fixes() {
    return fixes;
  }

  /** Files that are linked or moved away as soon as they are written. */
  public Folder temporary() {
    return temporary;
  }

  /**
   * Asks the storage for next to nothing, in a way that no cache can answer: a file of that name is
   * made and removed.
   */
  public void ask(String fileName) throws IOException {
    try {
      temporary.createNew(fileName, FileModes.METADATA).close();
    } catch (FileFailure.Exists e) {
      LOG.debug("{} is there already", temporary.path(fileName));
    }
    temporary.remove(fileName);
  }

  /**
   * The canary of the repository's SDM, at the path that tools get: a mount may have changed since
   * the folders were opened. Null when there is none, or none that can be read at the moment.
   */
  public @Nullable Canary readCanary() throws IOException {
    try (Folder now = Folder.open(root.path())) {
      byte[] found = now.read(CANARY, CANARY_BYTES);
      return found == null ? null : Json.MAPPER.readValue(found, Canary.class);
    } catch (JacksonException | FileFailure.NotFound e) {
      return null;
    }
  }

  /** Written in place, since a name that comes and goes is seen late on a shared filesystem. */
  public void writeCanary(Canary canary) throws IOException {
    byte[] text = Json.MAPPER.writeValueAsBytes(canary);
    byte[] block = Arrays.copyOf(text, CANARY_BYTES);
    Arrays.fill(block, text.length, block.length, (byte) ' ');
    try (NativeFile file = openCanary()) {
      file.write(0, block);
    }
  }

  private NativeFile openCanary() throws IOException {
    try {
      return root.openWrite(CANARY);
    } catch (FileFailure.NotFound e) {
      return root.createNew(CANARY, FileModes.METADATA);
    }
  }

  /** Size and free bytes of the filesystem. */
  public Space space() throws IOException {
    Filesystem filesystem = root.filesystem();
    return new Space(filesystem.capacity(), filesystem.free());
  }

  /** In bytes. */
  public record Space(long capacity, long free) {}

  @Override
  public void close() {
    volumes.close();
    fixes.close();
    temporary.close();
    slots.close();
  }
}
