/** `docker-ci redis-acl`: the rules for the Redis user of workers on other machines. */
import { ConfigError } from "../errors.ts";
import { ACL_USER, workerAclRules } from "../queue/redis-acl.ts";

const PASSWORD_LENGTH = 16;

/** @param asFile one line of an aclfile in place of a command. @throws ConfigError without a password. */
export function redisAcl(password: string | undefined, asFile: boolean, print: (text: string) => void): number {
  if (password === undefined || password.length < PASSWORD_LENGTH) {
    throw new ConfigError("There are no rules without a password.", [
      `BUILDBOT_PWD: ${password === undefined || password === "" ? "is not set" : `has ${password.length} characters`}, needed: at least ${PASSWORD_LENGTH} characters; openssl rand -hex 32 makes one`,
    ]);
  }
  print(`${asFile ? "user" : "ACL SETUSER"} ${ACL_USER} ${workerAclRules(password)}\n`);
  return 0;
}
