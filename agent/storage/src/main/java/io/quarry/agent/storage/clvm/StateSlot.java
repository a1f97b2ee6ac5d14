package io.quarry.agent.storage.clvm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.block.HostSlot;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The slot of this host in one log, in a file of the agent's state directory. A lock lasts as long
 * as the connection: two agents with one slot would write over each other.
 */
public final class StateSlot implements HostSlot, AutoCloseable {
  private static final String DIRECTORY = "slots";
  private static final Pattern KEY = Pattern.compile("[0-9a-f]{32}");

  /** The host's key, the slot, and a checksum of both. */
  private static final Pattern FORM = Pattern.compile("(" + KEY + ") ([0-9]{1,2}) [0-9a-f]{8}\n");

  private static final int BYTES_MAX = 64;

  private final Folder folder;
  private final NativeFile lock;
  private final String file;
  private final String hostKey;

  private StateSlot(Folder folder, NativeFile lock, String file, String hostKey) {
    this.folder = folder;
    this.lock = lock;
    this.file = file;
    this.hostKey = hostKey;
  }

  /**
   * @param stateDirectory of the agent
   * @param deviceKey of the device with the log, as 32 hexadecimal digits
   * @param hostKey sixteen bytes that no other host has, as hexadecimal digits
   * @param place of the log, for messages
   */
  public static StateSlot open(Path stateDirectory, String deviceKey, String hostKey, String place)
      throws IOException {
    if (!KEY.matcher(deviceKey).matches() || !KEY.matcher(hostKey).matches()) {
      throw new IllegalArgumentException("no keys: " + deviceKey + ", " + hostKey);
    }
    Folder folder = folder(stateDirectory);
    try {
      NativeFile lock = lock(folder, deviceKey + ".lock");
      if (lock == null) {
        throw new StorageException(
            ErrorCode.REPOSITORY_IN_USE,
            "another agent or connection uses "
                + place
                + " with this state directory, as its lock shows",
            folder.path(deviceKey + ".lock").toString(),
            "give each agent a state directory of its own, and connect a repository once");
      }
      return new StateSlot(folder, lock, deviceKey, hostKey);
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  private static Folder folder(Path stateDirectory) throws IOException {
    try (Folder state = Folder.open(stateDirectory)) {
      if (state.createFolder(DIRECTORY)) {
        state.force();
      }
      return state.folder(DIRECTORY);
    }
  }

  /** Null when the file is locked. The file stays for good: a new one could be locked beside it. */
  private static @Nullable NativeFile lock(Folder folder, String name) throws IOException {
    NativeFile file;
    try {
      file = folder.createNew(name, FileModes.SECRET);
    } catch (FileFailure.Exists e) {
      file = folder.openWrite(name);
    }
    boolean locked = false;
    try {
      locked = file.tryLock(0, 1);
      return locked ? file : null;
    } finally {
      if (!locked) {
        file.close();
      }
    }
  }

  @Override
  public String key() {
    return hostKey;
  }

  /** A slot of another key is none of this host: the state directory belonged to another one. */
  @Override
  public OptionalInt slot() throws IOException {
    byte[] found = folder.read(file, BYTES_MAX);
    if (found == null) {
      return OptionalInt.empty();
    }
    String text = new String(found, US_ASCII);
    Matcher form = FORM.matcher(text);
    if (!form.matches() || !text.equals(text(form.group(1), Integer.parseInt(form.group(2))))) {
      throw new IOException(
          folder.path(file)
              + " is damaged: it does not hold what an agent writes there; restore it, or remove"
              + " it, and this host takes another slot");
    }
    return form.group(1).equals(hostKey)
        ? OptionalInt.of(Integer.parseInt(form.group(2)))
        : OptionalInt.empty();
  }

  @Override
  public void keep(int slot) throws IOException {
    String written = file + ".new";
    folder.remove(written);
    try (NativeFile next = folder.createNew(written, FileModes.SECRET)) {
      next.write(0, text(hostKey, slot).getBytes(US_ASCII));
      next.sync();
    }
    folder.rename(file, folder, written);
    folder.force();
  }

  private static String text(String host, int slot) {
    String content = host + " " + slot;
    CRC32C sum = new CRC32C();
    sum.update(content.getBytes(US_ASCII));
    return "%s %08x\n".formatted(content, sum.getValue());
  }

  @Override
  public void close() {
    lock.close();
    folder.close();
  }
}
