package io.quarry.agent.format;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Filesystem;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.cluster.Canary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connected repository's storage as a directory tree, opened once. */
public final class RepositoryStorage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryStorage.class);

  private static final String CANARY = "canary.";

  /** The metadata of a qcow2 file is smaller than this part of its data, plus a mebibyte. */
  private static final long TABLES_PART = 4_096;

  private static final long TABLES_BYTES = 1 << 20;

  /** A size that holds the largest image that there may be. */
  static final long LARGEST_FILE_ASKED =
      Limits.IMAGE_BYTES_MAX + Limits.IMAGE_BYTES_MAX / TABLES_PART + TABLES_BYTES;

  /** With room for fewer files a storage counts as full: a commit takes two for a moment. */
  private static final int FILES_MIN = 2;

  /** One sector, so that a reader sees the old or the new one. */
  private static final int CANARY_BYTES = 512;

  private final Folder root;
  private final Traits traits;
  private final DirectorySlotStore slots;
  private final VolumeStore volumes;
  private final Folder fixes;
  private final Folder temporary;

  /**
   * The traits that the connection found.
   *
   * @param largestFile in bytes; {@link #LARGEST_FILE_ASKED} when that or more
   * @param protection of the files of volumes
   */
  record Traits(Genesis genesis, long largestFile, VolumeStore.Protection protection) {}

  /**
   * @param root the storage closes this folder
   */
  RepositoryStorage(Folder root, Traits traits, String writer) throws IOException {
    this.root = root;
    this.traits = traits;
    this.slots = new DirectorySlotStore(root, writer);
    this.volumes = new VolumeStore(root.folder("volumes"), traits.protection());
    this.fixes = root.folder("fixes");
    this.temporary = root.folder("tmp");
  }

  public Genesis genesis() {
    return traits.genesis();
  }

  /**
   * The size of the largest image that one file of this storage can hold, in bytes. The size also
   * holds for a fully written qcow2 file, which a disk gets by a snapshot.
   */
  public long largestImage() {
    long data = Math.max(0, traits.largestFile() - TABLES_BYTES);
    return data / (TABLES_PART + 1) * TABLES_PART;
  }

  /** Refuses an image that no file of this storage can hold; ignores a size that is not valid. */
  public void requireHolds(long size) {
    if (Limits.isImageSize(size) && size > largestImage()) {
      throw new StorageException(
          ErrorCode.IMAGE_TOO_LARGE,
          "an image of "
              + size
              + " bytes is too large for the files of "
              + root.path()
              + ", which hold images of at most "
              + largestImage()
              + " bytes",
          "size",
          "give a smaller size, or use a repository on a filesystem with larger files, such as"
              + " XFS");
    }
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

  /** The path of a volume's file, for messages. Tools get this path after a look at the file. */
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
   * Makes and removes a file of that name: a tiny request that no cache can answer. A full storage
   * answers, too.
   */
  public void ask(String fileName) throws IOException {
    try {
      temporary.createNew(fileName, FileModes.METADATA).close();
    } catch (FileFailure e) {
      switch (e.kind()) {
        case EXISTS -> LOG.debug("{} is there already", temporary.path(fileName));
        case NO_SPACE -> LOG.debug("{} has no room for another file", temporary.path());
        default -> throw e;
      }
    }
    temporary.remove(fileName);
  }

  /** Whether this host can make and remove files; also true on a full storage. */
  public boolean isUsable(String fileName) {
    try {
      ask(fileName);
      return true;
    } catch (IOException e) {
      LOG.debug("{} cannot be used: {}", root.path(), e.toString());
      return false;
    }
  }

  /**
   * The key of the repository at its path now, or null when there is none. The open folders stay
   * the same, even when the storage is unmounted, moved or mounted over.
   */
  public @Nullable String keyAtPath() throws IOException {
    try (Folder now = Folder.open(root.path())) {
      byte[] found = now.read(Genesis.FILE, LocalfsFormat.GENESIS_BYTES_MAX);
      return found == null ? null : Json.MAPPER.readTree(found).path("key").asText();
    } catch (FileFailure e) {
      if (e.isNoFile()) {
        return null;
      }
      throw e;
    } catch (JacksonException e) {
      return null;
    }
  }

  /**
   * The canaries that SDMs have left, at the path that tools get: a mount may have changed since
   * the folders were opened.
   */
  public List<Canary> canaries() throws IOException {
    List<Canary> found = new ArrayList<>();
    try (Folder now = Folder.open(root.path())) {
      for (String name : now.names()) {
        byte[] content = name.startsWith(CANARY) ? now.read(name, CANARY_BYTES) : null;
        if (content != null) {
          add(content, name, found);
        }
      }
    } catch (FileFailure.NotFound e) {
      return List.of();
    }
    return found;
  }

  /** A host that died while writing a canary must not keep the other hosts from theirs. */
  private static void add(byte[] content, String name, List<Canary> found) throws IOException {
    try {
      found.add(Json.MAPPER.readValue(content, Canary.class));
    } catch (JacksonException e) {
      LOG.debug("{} is being written, or was not written whole: {}", name, e.getMessage());
    }
  }

  /**
   * Writes this host's canary. Each host has a file of its own: a paused and deposed SDM must not
   * overwrite its successor's canary. The file is written in place, since other hosts of a shared
   * filesystem see a new name late. The write is durable, since ZooKeeper shows the canary durably
   * afterwards. A host's first canary on a full storage comes from the reserve.
   */
  public void writeCanary(String hostId, Canary canary) throws IOException {
    byte[] text = Json.MAPPER.writeValueAsBytes(canary);
    byte[] block = Arrays.copyOf(text, CANARY_BYTES);
    Arrays.fill(block, text.length, block.length, (byte) ' ');
    var _ =
        slots.fromReserve(() -> {
          try (NativeFile file = openCanary(CANARY + hostId)) {
            file.write(0, block);
            file.sync();
            return true;
          }
        });
  }

  private NativeFile openCanary(String name) throws IOException {
    try {
      return root.openWrite(name);
    } catch (FileFailure.NotFound e) {
      NativeFile created = root.createNew(name, FileModes.METADATA);
      root.force();
      return created;
    }
  }

  /** Size and free bytes of the filesystem. */
  public Space space() throws IOException {
    Filesystem filesystem = root.filesystem();
    return new Space(
        filesystem.capacity(), filesystem.free(), filesystem.hasRoomForFiles(FILES_MIN));
  }

  /**
   * The space for volumes.
   *
   * @param capacity in bytes
   * @param free in bytes
   * @param roomForFiles whether more files can be made
   */
  public record Space(long capacity, long free, boolean roomForFiles) {}

  @Override
  public void close() {
    volumes.close();
    fixes.close();
    temporary.close();
    slots.close();
  }
}
