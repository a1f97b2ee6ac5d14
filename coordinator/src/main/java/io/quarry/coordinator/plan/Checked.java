package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UserData;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Witness;
import io.quarry.coordinator.plan.Volume.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The allowed values of a request's parts. Another agent may have sent the request, and ids become
 * names of files. Only requests are checked: the values that a log holds stay readable.
 */
final class Checked {
  /** Images, opens, pins, hosts and repositories: never a path, never empty. */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.NAME_CHARS_MAX - 1) + "}");

  /** Volumes: a dot ends the id in the name of a file. */
  private static final Pattern VOLUME =
      Pattern.compile("[0-9A-Za-z-]{1," + Limits.NAME_CHARS_MAX + "}");

  /** Ids of fixes and opens as Quarry gives them: a type or a directory may come before a name. */
  private static final Pattern INTERNAL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,399}");

  /** A file of a volume or of a fix: at most one directory, of a fixed name. */
  private static final Pattern FILE = Pattern.compile("(fixes/)?[A-Za-z0-9][A-Za-z0-9._-]{0,254}");

  private static final Pattern LINE = Pattern.compile("[^\\p{Cntrl}\\p{Cs}]*");

  private Checked() {}

  /** The id of an image, an open, a pin, a host, a life of a host or a repository. */
  static String name(String subject, @Nullable String value) {
    return matching(NAME, subject, value);
  }

  static @Nullable String nameOrNull(String subject, @Nullable String value) {
    return value == null ? null : name(subject, value);
  }

  static String volume(String subject, @Nullable String value) {
    return matching(VOLUME, subject, value);
  }

  static String internal(String subject, @Nullable String value) {
    return matching(INTERNAL, subject, value);
  }

  static String file(String subject, @Nullable String value) {
    return matching(FILE, subject, value);
  }

  /** Text for people, in one line. */
  static @Nullable String lineOrNull(String subject, @Nullable String value) {
    if (value != null && value.length() > Limits.NAME_CHARS_MAX) {
      throw refused(subject, value);
    }
    return value == null ? null : matching(LINE, subject, value);
  }

  /** Text for programs, in one line. */
  static String checkpoint(String subject, @Nullable String value) {
    String given = present(subject, value);
    int bytes = given.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > Epoch.CHECKPOINT_BYTES_MAX) {
      throw StorageException.invalid(
          subject,
          subject + " has " + bytes + " bytes",
          "save at most " + Epoch.CHECKPOINT_BYTES_MAX + " bytes");
    }
    return matching(LINE, subject, given);
  }

  static <T> T present(String subject, @Nullable T value) {
    if (value == null) {
      throw StorageException.invalid(subject, subject + " is missing", "give " + subject);
    }
    return value;
  }

  /** Bytes, or an epoch. */
  static long notNegative(String subject, long value) {
    if (value < 0) {
      throw StorageException.invalid(
          subject, subject + " is " + value, "give " + subject + " as 0 or more");
    }
    return value;
  }

  static Worker worker(@Nullable Worker worker) {
    Worker given = present("worker", worker);
    name("hostId", given.hostId());
    name("incarnation", given.incarnation());
    return given;
  }

  static @Nullable Worker workerOrNull(@Nullable Worker worker) {
    return worker == null ? null : worker(worker);
  }

  static Writer writer(@Nullable Writer writer) {
    Writer given = present("writer", writer);
    internal("fixId", given.fixId());
    worker(given.worker());
    notNegative("epoch", given.epoch());
    return given;
  }

  static void witnesses(@Nullable Map<String, Witness> witnesses) {
    if (witnesses != null) {
      witnesses.forEach((volumeId, witness) -> {
        volume("volumeId", volumeId);
        witness(witness);
      });
    }
  }

  static void witness(@Nullable Witness witness) {
    Witness given = present("witness", witness);
    notNegative("size", given.size());
    var _ = present("modified", given.modified());
  }

  /** Refuses null values. */
  static Map<String, Long> numbers(String subject, @Nullable Map<String, Long> numbers) {
    Map<String, Long> given = present(subject, numbers);
    given.forEach((name, number) -> notNegative(subject, present(subject, number)));
    return Map.copyOf(given);
  }

  /** Refuses null elements. */
  static <T> List<T> list(String subject, @Nullable List<T> elements) {
    List<T> given = present(subject, elements);
    given.forEach(element -> present(subject, element));
    return List.copyOf(given);
  }

  static long positive(String subject, long value) {
    if (value < 1) {
      throw StorageException.invalid(
          subject, subject + " is " + value, "give " + subject + " as 1 or more");
    }
    return value;
  }

  static List<String> files(@Nullable List<String> files, int max) {
    List<String> given = list("files", files);
    given.forEach(file -> file("file", file));
    return notMore("files", given, max);
  }

  /** By file, the commit that allowed the mapping. */
  static Map<String, Long> mappings(@Nullable Map<String, Long> mappings) {
    Map<String, Long> given = numbers("mappings", mappings);
    given.keySet().forEach(file -> file("file", file));
    return given;
  }

  static HostBoot boot(HostBoot boot) {
    name("hostKey", boot.hostKey());
    name("bootId", boot.bootId());
    return boot;
  }

  static List<String> openIds(@Nullable List<String> openIds, int max) {
    List<String> given = list("openIds", openIds);
    given.forEach(openId -> internal("openId", openId));
    return notMore("openIds", given, max);
  }

  private static List<String> notMore(String subject, List<String> given, int max) {
    if (given.size() > max) {
      throw StorageException.invalid(
          subject, given.size() + " are named", "name at most " + max + " at once");
    }
    return given;
  }

  static CopySource source(@Nullable CopySource source) {
    CopySource given = present("source", source);
    name("repositoryKey", given.repositoryKey());
    name("imageId", given.imageId());
    name("pinId", given.pinId());
    return given;
  }

  static ObjectNode userData(@Nullable ObjectNode userData) {
    ObjectNode given = present("userData", userData);
    UserData.check(given);
    return given;
  }

  private static String matching(Pattern pattern, String subject, @Nullable String value) {
    String given = present(subject, value);
    if (!pattern.matcher(given).matches()) {
      throw refused(subject, given);
    }
    return given;
  }

  private static StorageException refused(String subject, String value) {
    String shown = value.substring(0, Math.min(40, value.length()));
    return StorageException.invalid(
        subject,
        subject + " is not usable: " + shown.replaceAll("[\\p{Cntrl}\\p{Cs}]", "?"),
        "give " + subject + " as Quarry gave it");
  }
}
