package io.quarry.agent.storage.clvm;

import io.quarry.agent.storage.directory.VolumeOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.SizeText;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The parameters of a connection.
 *
 * @param vg the name of the volume group
 * @param meta the name of the logical volume with the log
 * @param data the name of the logical volume whose extents volumes get
 * @param chunkBytes by how much a thin volume grows
 * @param nodes the user and the group of the device nodes of volumes
 */
public record ClvmParameters(
    String vg, String meta, String data, long chunkBytes, VolumeOptions nodes) {
  private static final String VG = "vg";
  private static final String META = "meta";
  private static final String DATA = "data";
  private static final String CHUNK = "chunk";
  private static final String OWNER = "owner";
  private static final String GROUP = "group";
  private static final Set<String> ALL = Set.of(VG, META, DATA, CHUNK, OWNER, GROUP);
  private static final Map<String, String> DEFAULTS =
      Map.of(META, "quarry-meta", DATA, "quarry-data", CHUNK, "1G");

  private static final Pattern LVM_NAME = Pattern.compile("(?!-)[0-9A-Za-z+_.-]{1,127}");
  private static final int ID_MAX = Integer.MAX_VALUE - 1;

  /** A chunk is a whole number of extents, which have 16 MiB unless the repository has others. */
  private static final long CHUNK_UNIT_BYTES = 16L << 20;

  private static final long CHUNK_BYTES_MAX = 1L << 40;

  public static ClvmParameters of(Map<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!ALL.contains(name)) {
        throw invalid(
            name,
            ClvmConnection.FORMAT + " has no parameter " + name,
            "remove " + name + "; give vg. Meta, data, chunk, owner and group are optional");
      }
    }
    String vg = group(parameters);
    String meta = volume(parameters, META, vg);
    String data = volume(parameters, DATA, vg);
    if (meta.equals(data)) {
      throw invalid(
          DATA,
          "meta and data are both " + vg + "/" + meta,
          "give two logical volumes: meta for the log, and data for the volumes");
    }
    return new ClvmParameters(
        vg,
        meta,
        data,
        chunk(value(parameters, CHUNK)),
        VolumeOptions.ofRepository(number(parameters, OWNER), number(parameters, GROUP)));
  }

  private static String value(Map<String, String> parameters, String name) {
    return parameters.getOrDefault(name, DEFAULTS.getOrDefault(name, ""));
  }

  private static String group(Map<String, String> parameters) {
    String vg = value(parameters, VG);
    if (vg.isEmpty()) {
      throw invalid(VG, "vg is missing", "give the name of the volume group, as vgs shows it");
    }
    if (vg.contains("/")) {
      throw invalid(
          VG,
          "vg is a path and not a name: " + vg,
          "give the name of the volume group alone, as vgs shows it");
    }
    return lvmName(VG, vg);
  }

  private static String volume(Map<String, String> parameters, String parameter, String vg) {
    String name = value(parameters, parameter);
    if (name.contains("/")) {
      throw invalid(
          parameter,
          parameter + " is a path and not a name: " + name,
          "give the name of the logical volume alone, as lvs shows it, and the volume group as vg");
    }
    lvmName(parameter, name);
    if (!MapperName.fits(vg, name)) {
      throw invalid(
          parameter,
          "the device mapper has no room for the name " + vg + "/" + name,
          "give the volume group or the logical volume a shorter name");
    }
    return name;
  }

  private static String lvmName(String parameter, String name) {
    if (!LVM_NAME.matcher(name).matches() || name.equals(".") || name.equals("..")) {
      throw invalid(
          parameter,
          parameter + " is no name that LVM accepts: " + name,
          "give letters, digits and + _ . -, up to 127 of them, without a hyphen at the beginning");
    }
    return name;
  }

  private static long chunk(String value) {
    long bytes;
    try {
      bytes = SizeText.parse(value);
    } catch (SizeText.MalformedException e) {
      throw invalid(CHUNK, "chunk: " + e.getMessage(), "give chunk as a size, for example 1G");
    }
    if (bytes <= 0 || bytes % CHUNK_UNIT_BYTES != 0 || bytes > CHUNK_BYTES_MAX) {
      throw invalid(
          CHUNK,
          "chunk is no multiple of 16M up to 1T: " + value,
          "give a multiple of 16M, for example 1G");
    }
    return bytes;
  }

  private static int number(Map<String, String> parameters, String name) {
    String value = parameters.get(name);
    if (value == null) {
      return VolumeOptions.ANY;
    }
    if (!value.matches("[0-9]{1,10}") || Long.parseLong(value) > ID_MAX) {
      throw invalid(
          name,
          name + " is no number up to " + ID_MAX + ": " + value,
          "give a number: a name may stand for another number on another host");
    }
    return Integer.parseInt(value);
  }

  private static StorageException invalid(String parameter, String message, String remedy) {
    return StorageException.invalid("connectionParameters." + parameter, message, remedy);
  }
}
